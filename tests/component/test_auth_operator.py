"""The operator's way in: INTERNAL secrets and the first client, without any API key."""

from uuid import UUID

import pytest

import identity
from basejump_cli.failure import CommandError
from basejump_cli.operator import OperatorSettings, create_client, create_internal, list_internal, revoke_internal
from basejump_common.contracts import account
from basejump_common.contracts.account import CreateClient
from basejump_common.contracts.common import PageRequest
from basejump_common.errors import Unauthenticated
from basejump_common.security.secret import Secret
from identity import Caller, Tenant
from installation import Installation, unique


def _settings(installation: Installation) -> OperatorSettings:
    auth = identity.auth_settings(installation)
    return OperatorSettings(
        auth_database_dsn=Secret(auth["BASEJUMP_DATABASE_DSN"]),
        secret_pepper=Secret(auth["BASEJUMP_SECRET_PEPPER"]),
        environment=auth["BASEJUMP_ENVIRONMENT"],
        nats_url=installation.around.nats.url,
        nats_password=Secret(installation.around.state.secret("nats cli")),
    )


async def test_the_command_creates_a_client_whose_key_works_and_leaves_no_internal_secret(
    installation: Installation,
) -> None:
    async with identity.people(installation) as house:
        made = await create_client(_settings(installation), CreateClient(client_name=unique("client")))
        tenant = Tenant(house.bus, made.client_uuid, made.owner_user_uuid, made.client_secret, made.client_secret_uuid)
        assert (await tenant.owner()).user_uuid == made.owner_user_uuid
    database = await installation.database()
    try:
        alive = await database.fetchval(
            "select count(*) from auth.client_secret where description like '%for one call' and revoked_at is null"
        )
    finally:
        await database.close()
    assert alive == 0


async def test_a_revoked_internal_secret_and_its_token_end_within_five_seconds(installation: Installation) -> None:
    settings = _settings(installation)
    async with identity.people(installation) as house:
        made = await create_internal(settings, "to be revoked")
        operator = await identity.exchange(house.bus, made.client_secret)
        assert await operator.call(account.LIST_CLIENTS, PageRequest())
        assert made.client_secret_uuid in await _alive(settings)
        await revoke_internal(settings, made.client_secret_uuid)
        assert made.client_secret_uuid not in await _alive(settings)
        assert await identity.within(5.0, lambda: _is_refused(operator))
        with pytest.raises(Unauthenticated):
            await identity.exchange(house.bus, made.client_secret)
        with pytest.raises(CommandError, match="no such"):
            await revoke_internal(settings, made.client_secret_uuid)


async def test_without_the_services_the_command_says_so_in_one_line(installation: Installation) -> None:
    with pytest.raises(CommandError, match="away"):
        await create_client(_settings(installation), CreateClient(client_name="nobody answers"))


async def _alive(settings: OperatorSettings) -> list[UUID]:
    return [secret.client_secret_uuid for secret in (await list_internal(settings)).data]


async def _is_refused(operator: Caller) -> bool:
    try:
        await operator.call(account.LIST_CLIENTS, PageRequest())
    except Unauthenticated:
        return True
    return False
