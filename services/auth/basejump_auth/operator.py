"""For the `basejump` command alone: INTERNAL secrets, which no API call can make.

It writes through auth's own login to auth's own tables, so it needs what auth has: DSN, pepper and environment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import msgspec

from basejump_auth.adapters import revocation_rows, secret_rows
from basejump_auth.adapters.secret_rows import OPERATOR, OperatorSecret, SecretRow
from basejump_auth.issuing import Issuer
from basejump_auth.revocations import secret_key
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret
from basejump_common.storage.database import Database


class InternalSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The only showing of its value."""

    client_secret_uuid: UUID
    client_secret: Secret


async def create_internal_secret(dsn: Secret, pepper: Secret, environment: str, description: str) -> InternalSecret:
    """An INTERNAL secret, good until it is revoked. Raises Unavailable."""
    draft = SecretRow(client_uuid=OPERATOR, client_secret_uuid=uuid4(), role=Role.INTERNAL, description=description)
    async with _database(dsn) as database, database.tenant(OPERATOR) as tx:
        issued = await Issuer(environment, pepper).issue(tx, draft)
    return InternalSecret(client_secret_uuid=draft.client_secret_uuid, client_secret=issued.text)


class InternalSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """Those that aren't revoked, newest first."""

    data: tuple[OperatorSecret, ...]


async def list_internal_secrets(dsn: Secret) -> InternalSecrets:
    """Without their values. Raises Unavailable."""
    async with _database(dsn) as database, database.tenant(OPERATOR) as tx:
        return InternalSecrets(data=tuple(await secret_rows.of_operator(tx)))


async def revoke_internal_secret(dsn: Secret, client_secret_uuid: UUID) -> bool:
    """End it and its tokens; a running auth tells the others within seconds. False when there is none alive."""
    async with _database(dsn) as database, database.tenant(OPERATOR) as tx:
        revoked = await secret_rows.revoke(tx, client_secret_uuid)
        if revoked:
            await revocation_rows.add(tx, [secret_key(client_secret_uuid)])
    return revoked


@asynccontextmanager
async def _database(dsn: Secret) -> AsyncIterator[Database]:
    database = await Database.connect(dsn.reveal(), schema="auth", application_name="basejump-operator", size=1)
    try:
        yield database
    finally:
        await database.close()
