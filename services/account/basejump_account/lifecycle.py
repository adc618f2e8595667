"""A client's life after its creation: suspended and resumed by the operator, deleted and erased everywhere.

Deleting shuts the door at once: account says that nobody of the client stands well, so auth signs nothing more. A job
then asks every service to erase, credentials first, until none finds anything any more; account's own rows go last.
"""

import asyncio
import logging
from uuid import UUID

from basejump_account.adapters import client_rows
from basejump_account.clients import found
from basejump_common.bus import Bus, Context, publish
from basejump_common.contracts import account, auth, chat, connection
from basejump_common.contracts.account import Client, ClientStanding, ClientState, ClientStateChanged, UpdateClient
from basejump_common.contracts.common import ByClient, Done
from basejump_common.contracts.erasing import Erased
from basejump_common.contracts.operation import Operation
from basejump_common.errors import BasejumpError, Conflict, NotFound, Unavailable
from basejump_common.security.principal import Principal, Role
from basejump_common.storage import jobs, outbox
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.erasure import erase_rows
from basejump_common.storage.job_worker import RENEW_SECONDS
from basejump_common.storage.jobs import Job

ERASE = "erase-client"
SETTLE_SECONDS = RENEW_SECONDS + 1.0
"""After so long a worker knows that the job it was at is gone; what it wrote until then is erased by another turn."""

RETRY_SECONDS = 2.0
_ERASING = (auth.ERASE_CLIENT, connection.ERASE_CLIENT, chat.ERASE_CLIENT)

log = logging.getLogger(__name__)


class Lifecycle:
    """Suspend, resume, delete; and the job that erases."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def update(self, context: Context, request: UpdateClient) -> Client:
        """Raises NotFound, and Conflict once it is deleted."""
        async with self._database.tenant(request.client_uuid) as tx:
            before = found(await client_rows.lock(tx, request.client_uuid))
            if before.state is ClientState.ERASING:
                raise Conflict("the client is being erased")
            client = await client_rows.update(tx, request, _state(before, request))
            if client.state is not before.state:
                suspended = client.state is ClientState.SUSPENDED
                event = account.CLIENT_SUSPENDED if suspended else account.CLIENT_RESUMED
                change = ClientStateChanged(client_uuid=client.client_uuid, state=client.state)
                await publish(tx, event, client.client_uuid, client.client_uuid, change, context)
        return client

    async def delete(self, context: Context, request: ByClient) -> Done:
        """Nobody of it gets in from now on; its data is erased by a job. Raises NotFound: not there, or not yours."""
        _check_own(context.caller, request.client_uuid)
        async with self._database.tenant(request.client_uuid) as tx:
            client = found(await client_rows.lock(tx, request.client_uuid))
            if client.state is not ClientState.ERASING:
                await client_rows.update(tx, UpdateClient(client_uuid=client.client_uuid), ClientState.ERASING)
                change = ClientStateChanged(client_uuid=client.client_uuid, state=ClientState.ERASING)
                await publish(tx, account.CLIENT_DELETED, client.client_uuid, client.client_uuid, change, context)
            await jobs.enqueue(tx, ERASE, request, client.client_uuid)
        return Done()

    async def standing(self, _context: Context, request: ByClient) -> ClientStanding:
        """Whether the client's secrets open anything."""
        async with self._database.tenant(request.client_uuid) as tx:
            return ClientStanding(client_uuid=request.client_uuid, active=await is_active(tx, request.client_uuid))

    async def erase(self, job: Job[ByClient]) -> None:
        """The job: in turns until a turn finds nothing, then account's own. Takes as long as the services are away."""
        while await self._turn(job.client_uuid):  # noqa: ASYNC110 - what others still write has no event
            await asyncio.sleep(SETTLE_SECONDS)
        async with self._database.tenant(job.client_uuid) as tx:
            if await outbox.waiting_of_client(tx, job.client_uuid):
                raise Unavailable("the client's last events are not published yet", retry_after=1)
            await job.finish(tx)
            await erase_rows(tx, job.client_uuid)
        log.info("a client is erased", extra={"client": str(job.client_uuid)})

    async def _turn(self, client_uuid: UUID) -> int:
        """How much there was to erase."""
        return sum([await self._erased_by(operation, client_uuid) for operation in _ERASING])

    async def _erased_by(self, operation: Operation[ByClient, Erased], client_uuid: UUID) -> int:
        while True:
            try:
                context = Context.new(seconds=operation.timeout)
                return (await self._bus.call(operation, ByClient(client_uuid=client_uuid), context)).count
            except BasejumpError as error:
                log.warning("erasing waits for a service: %s", error.message)
            await asyncio.sleep(RETRY_SECONDS)


async def is_active(tx: Transaction, client_uuid: UUID) -> bool:
    """Whether the client is there, neither suspended nor deleted."""
    client = await client_rows.find(tx, client_uuid)
    return client is not None and client.state is ClientState.ACTIVE


def _state(before: Client, request: UpdateClient) -> ClientState:
    if request.suspended is None:
        return before.state
    return ClientState.SUSPENDED if request.suspended else ClientState.ACTIVE


def _check_own(caller: Principal, client_uuid: UUID) -> None:
    if caller.role is not Role.INTERNAL and caller.tenant != client_uuid:
        raise NotFound("there is no such client")
