"""Clients: created and listed by the operator, seen by their members, set by their OWNER."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec

from basejump_account.adapters import client_rows, user_rows
from basejump_account.domain.settings import changed
from basejump_common.bus import Bus, Context, publish
from basejump_common.contracts import account, auth
from basejump_common.contracts.account import (
    CheckOrigin,
    Client,
    ClientCreated,
    ClientPage,
    ClientUpdated,
    CreateClient,
    CreatedClient,
    OriginStanding,
    User,
    UserChanged,
)
from basejump_common.contracts.client_settings import (
    ClientChoices,
    UpdateClientSettings,
    UpdateVerifyMode,
    VerifyMode,
)
from basejump_common.contracts.common import ByClient, Nothing, PageRequest
from basejump_common.errors import NotFound
from basejump_common.security.principal import UserRole
from basejump_common.storage import pages
from basejump_common.storage.database import Database, Transaction


class Clients:
    """What account does about clients."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def create(self, context: Context, request: CreateClient) -> CreatedClient:
        """A client with its OWNER user and first secret: all of it, or nothing when any of it fails."""
        client_uuid = uuid4()
        async with self._database.tenant(client_uuid) as tx:
            await client_rows.insert(tx, client_uuid, request)
            created = ClientCreated(client_uuid=client_uuid, client_name=request.client_name)
            await publish(tx, account.CLIENT_CREATED, client_uuid, client_uuid, created, context)
            owner = await _create_owner(tx, client_uuid, context)
            # Last, so that without a secret there is no client; a secret whose client was rolled back opens nothing.
            issue = auth.IssueFirstSecret(client_uuid=client_uuid, client_name=request.client_name)
            first = await self._bus.call(auth.ISSUE_FIRST_SECRET, issue, context)
        return CreatedClient(
            client_uuid=client_uuid,
            client_name=request.client_name,
            owner_user_uuid=owner.user_uuid,
            client_secret=first.client_secret,
            client_secret_uuid=first.client_secret_uuid,
        )

    async def page(self, _context: Context, request: PageRequest) -> ClientPage:
        """Every client, for the operator: the directory says which there are, each opens its own door."""
        async with self._database.platform() as tx:
            entries = await client_rows.directory(tx, request.cursor, request.limit)
        shown, next_cursor = pages.page(entries, request.limit, lambda entry: (entry.created_at, entry.client_uuid))
        clients = [await self._find(entry.client_uuid) for entry in shown]
        return ClientPage(data=tuple(client for client in clients if client), next_cursor=next_cursor)

    async def get(self, context: Context, _request: Nothing) -> Client:
        """The caller's own client."""
        return found(await self._find(context.caller.tenant))

    async def update_settings(self, context: Context, request: UpdateClientSettings) -> Client:
        """Change what is given."""
        return await self._update(
            context, lambda client: msgspec.structs.replace(client, settings=changed(client.settings, request))
        )

    async def update_verify_mode(self, context: Context, request: UpdateVerifyMode) -> Client:
        """From now on, within seconds everywhere."""
        return await self._update(
            context, lambda client: msgspec.structs.replace(client, verify_mode=request.verify_mode.value)
        )

    async def choices(self, _context: Context, request: ByClient) -> ClientChoices:
        """What other services work by. Raises NotFound."""
        client = found(await self._find(request.client_uuid))
        verify_mode = VerifyMode(client.verify_mode)
        return ClientChoices(settings=client.settings, verify_mode=verify_mode, quota=client.quota)

    async def check_origin(self, _context: Context, request: CheckOrigin) -> OriginStanding:
        """Whether any client allows calls from there."""
        async with self._database.platform() as tx:
            return OriginStanding(allowed=await client_rows.is_origin(tx, request.origin))

    async def _update(self, context: Context, change: Callable[[Client], Client]) -> Client:
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            client = change(found(await client_rows.lock(tx, tenant)))
            await client_rows.write_choices(tx, tenant, client.settings, VerifyMode(client.verify_mode))
            await client_rows.write_origins(tx, tenant, client.settings.allowed_origins)
            updated = ClientUpdated(client_uuid=tenant, settings=client.settings, verify_mode=client.verify_mode)
            await publish(tx, account.CLIENT_UPDATED, tenant, tenant, updated, context)
        return msgspec.structs.replace(client, llm=client.settings.llm)

    async def _find(self, client_uuid: UUID) -> Client | None:
        async with self._database.tenant(client_uuid) as tx:
            return await client_rows.find(tx, client_uuid)


def found(client: Client | None) -> Client:
    if client is None:
        raise NotFound("there is no such client")
    return client


async def _create_owner(tx: Transaction, client_uuid: UUID, context: Context) -> User:
    owner = User(
        user_uuid=uuid4(),
        client_uuid=client_uuid,
        username="owner",
        role=UserRole.OWNER,
        email_address=None,
        service_user_uuid=None,
        created_at=datetime.now(UTC),
    )
    await user_rows.insert(tx, owner)
    change = UserChanged(user_uuid=owner.user_uuid, role=owner.role)
    await publish(tx, account.USER_CREATED, client_uuid, owner.user_uuid, change, context)
    return owner
