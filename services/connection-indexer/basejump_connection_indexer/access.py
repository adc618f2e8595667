"""May this caller ask over this connection, for this team, now?"""

import time
from contextlib import suppress
from uuid import UUID

import msgspec

import basejump_sqlguard as guard
from basejump_common.bus import Context
from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.contracts.client_settings import ClientSettings
from basejump_common.contracts.connection import Ground
from basejump_common.errors import DeadlineExceeded, NotFound, Unauthenticated, Unavailable
from basejump_common.runtime import Base
from basejump_common.security.principal import Role
from basejump_connection_indexer.adapters import grant_rows
from basejump_connection_indexer.adapters.teams import Teams
from basejump_connection_indexer.adapters.vault import Vault
from basejump_connection_indexer.domain.engine import ENGINES, schemas_of
from basejump_connection_indexer.domain.functions import allowed_functions
from basejump_connection_indexer.domain.ground import ground
from basejump_connection_indexer.domain.guard import Prover, as_in_the_index, in_schemas
from basejump_connection_indexer.domain.target import Target
from basejump_connection_indexer.prepared import PreparedCatalog, PreparedCatalogs

_ASK_SECONDS = 2.0


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a grant opens: the catalog as the connection sees it, the functions that an admin allows, and the login; and
    what the client has set."""

    client_uuid: UUID
    conn_uuid: UUID
    db_uuid: UUID
    settings: ClientSettings
    catalog: PreparedCatalog
    functions: frozenset[str]
    target: Target

    @property
    def dialect(self) -> str:
        """What the database speaks."""
        return ENGINES[self.target.database_type].dialect

    def proof(self, prover: Prover, sql: str, policy: guard.Policy) -> guard.Proof | guard.Refusal:
        """Of the statement as it is asked of the login's database, which may know schemas under other names."""
        proved = prover(in_schemas(sql, self.dialect, self.catalog.schemas), self.dialect, self.catalog.guard, policy)
        if isinstance(proved, guard.Refusal):
            return as_in_the_index(proved, self.catalog.schemas)
        return proved

    def ground(self, proof: guard.Proof) -> Ground:
        """What the proved statement rests on."""
        named = ((part.schema, self.catalog.named(part.schema, part.name)) for part in proof.tables)
        tables = [(schema, table) for schema, table in named if table is not None]
        sql = in_schemas(proof.sql, self.dialect, self.catalog.logical_names)
        return msgspec.structs.replace(ground(self.conn_uuid, self.target, tables), sql=sql)


class Gate:
    """Checks membership and grant at the moment of the call."""

    def __init__(
        self,
        base: Base,
        teams: Teams,
        clients: SettingsOfClients,
        catalogs: PreparedCatalogs,
        vault: Vault,
    ) -> None:
        self._database = base.database
        self._verifier = base.verifier
        self._teams = teams
        self._clients = clients
        self._catalogs = catalogs
        self._vault = vault

    async def open(self, context: Context, team_uuid: UUID, conn_uuid: UUID) -> Access:
        """Raises NotFound unless the caller is in the team and the team has the connection."""
        await self._teams.require_member(context, team_uuid)
        return await self._open(context, team_uuid, conn_uuid)

    async def check(self, context: Context, team_uuid: UUID, conn_uuid: UUID) -> None:
        """That what `open` allowed is still allowed, for what lasts longer than a call. Raises Unauthenticated and
        NotFound, and Unavailable while our tables are away."""
        if self._verifier.revoked(context.caller):
            raise Unauthenticated("the session has ended")
        async with self._database.tenant(context.caller.tenant) as tx:
            if await grant_rows.find(tx, team_uuid, conn_uuid) is None:
                raise _not_granted()
        # Once the caller's token has run out account says no more; what ends a membership besides is seen above.
        with suppress(Unavailable, DeadlineExceeded, Unauthenticated):
            asking = msgspec.structs.replace(context, deadline=time.time() + _ASK_SECONDS)
            await self._teams.require_member(asking, team_uuid)

    async def open_stored(self, context: Context, team_uuid: UUID, conn_uuid: UUID) -> Access:
        """For reading what ran for the team: as `open`; an ADMIN, who grants, needs no grant. Raises NotFound."""
        if context.caller.role.at_least(Role.ADMIN):
            return await self._open(context, None, conn_uuid)
        return await self.open(context, team_uuid, conn_uuid)

    async def _open(self, context: Context, team_uuid: UUID | None, conn_uuid: UUID) -> Access:
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            found = await grant_rows.opened(tx, team_uuid, conn_uuid)
        if found is None:
            raise _not_granted()
        granted, row, login = found
        return Access(
            client_uuid=tenant,
            conn_uuid=conn_uuid,
            db_uuid=row.db_uuid,
            settings=(await self._clients.choices(tenant, context)).settings,
            catalog=await self._catalogs.get(tenant, granted),
            functions=allowed_functions(row, schemas_of(row, login)),
            target=self._vault.target(row, login),
        )


def _not_granted() -> NotFound:
    return NotFound("the team has no such connection")
