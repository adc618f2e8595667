"""What ends a statement before it is done, and what doesn't: nothing is left in the database, and the reply says so."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from basejump_common.bus import Context
from basejump_common.contracts import account, auth, connection
from basejump_common.contracts.account import ByTeam, Membership
from basejump_common.contracts.auth import BySecret, CreateSecret
from basejump_common.contracts.common import ByUser, Nothing
from basejump_common.contracts.connection import ByDatabase, ByGrant, CreatedDatabase, DatabaseType, Run
from basejump_common.errors import BasejumpError, Canceled, DeadlineExceeded, NotFound, Unauthenticated, Unavailable
from basejump_common.security.principal import UserRole
from connection_house import Desk, Office, connected
from customers import AnyCustomer, Customers
from identity import within
from installation import Installation

BEDS = {
    DatabaseType.POSTGRES: """
create schema shop;
create view shop.nap as select n as nap_id from generate_series(1, 2) n where n = 1 or pg_sleep(60) is not null;
create view shop.doze as select n as doze_id from generate_series(1, 2) n where n = 1 or pg_sleep(2) is not null;
""",
    DatabaseType.MARIADB: """
create table bed (n integer); insert into bed values (1), (2);
create view nap as select n as nap_id from bed where n = 1 or sleep(60) is not null;
create view doze as select n as doze_id from bed where n = 1 or sleep(2) is not null;
""",
}
NAP, DOZE = "select count(*) from nap", "select count(*) from doze"
REVOCATION_SECONDS = 5.0
"""What is revoked ends everywhere in that time."""


@pytest.fixture(scope="module")
async def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"results_url": tmp_path_factory.mktemp("canceled").as_uri(), "statement_seconds": "30"}


@pytest.fixture(scope="module")
async def desk(installation: Installation, settings: dict[str, str], tmp_path_factory: Any) -> AsyncIterator[Desk]:
    async with connected(installation, tmp_path_factory.mktemp("canceling"), **settings) as opened:
        yield opened


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer(BEDS[customers.engine])


@pytest.fixture
async def office(desk: Desk) -> Office:
    return await desk.office()


@pytest.fixture
async def bed(customers: Customers, customer: AnyCustomer, office: Office) -> CreatedDatabase:
    return await office.add(customers.fields(customer))


def run_of(office: Office, bed: CreatedDatabase, sql: str, **given: Any) -> Run:
    fields: dict[str, Any] = {"run_uuid": uuid4(), "deadline": time.time() + 60} | given
    return Run(conn_uuid=bed.conn_uuid, team_uuid=office.team_uuid, sql=sql, prompt_uuid=uuid4(), **fields)


class Sleeping:
    """A statement that runs, and the call that waits for it."""

    def __init__(self, customer: AnyCustomer, call: "asyncio.Task[Any]") -> None:
        self._customer = customer
        self.call = call

    async def runs(self) -> bool:
        return any("nap" in query or "doze" in query for query in await self._customer.busy())

    async def is_over(self) -> bool:
        return not await self.runs()

    async def ends(self, kind: type[BasejumpError], says: str, seconds: float = 1.0) -> None:
        """The statement is gone in that time, and the call has ended with the words."""
        assert await within(seconds, self.is_over)
        with pytest.raises(kind, match=says):
            async with asyncio.timeout(1):
                await self.call


@asynccontextmanager
async def sleeping(office: Office, customer: AnyCustomer, request: Run) -> AsyncIterator[Sleeping]:
    found = Sleeping(customer, asyncio.create_task(office.ask(connection.RUN, request)))
    assert await within(5, found.runs)
    try:
        yield found
    finally:
        found.call.cancel()
        await asyncio.gather(found.call, return_exceptions=True)
        await office.ask(connection.STOP_RUN, connection.StopRun(run_uuid=request.run_uuid))
        assert await within(2, found.is_over)


async def test_a_statement_that_is_stopped(office: Office, customer: AnyCustomer, bed: CreatedDatabase) -> None:
    request = run_of(office, bed, NAP)
    async with sleeping(office, customer, request) as found:
        await office.ask(connection.STOP_RUN, connection.StopRun(run_uuid=request.run_uuid))
        await found.ends(Canceled, "stopped")


async def revoke_grant(office: Office, bed: CreatedDatabase) -> None:
    await office.admin.call(connection.REVOKE_GRANT, ByGrant(conn_uuid=bed.conn_uuid, team_uuid=office.team_uuid))


async def delete_database(office: Office, bed: CreatedDatabase) -> None:
    await office.admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=bed.db_uuid))


async def delete_team(office: Office, _: CreatedDatabase) -> None:
    await office.admin.call(account.DELETE_TEAM, ByTeam(team_uuid=office.team_uuid))


async def leave_team(office: Office, _: CreatedDatabase) -> None:
    leaving = Membership(user_uuid=office.member.user_uuid, team_uuid=office.team_uuid)
    await office.admin.call(account.REMOVE_MEMBER, leaving)


@pytest.mark.parametrize(
    ("lose", "seconds"), [(revoke_grant, 1.0), (delete_database, 1.0), (delete_team, 3.0), (leave_team, 7.0)]
)
async def test_a_statement_whose_connection_is_lost(
    office: Office,
    customer: AnyCustomer,
    bed: CreatedDatabase,
    lose: Callable[[Office, CreatedDatabase], Awaitable[None]],
    seconds: float,
) -> None:
    """A team's end arrives as an event; a membership is remembered for five seconds."""
    async with sleeping(office, customer, run_of(office, bed, NAP)) as found:
        await lose(office, bed)
        await found.ends(NotFound, "the statement was canceled: ", seconds)


async def end_sessions(office: Office) -> None:
    await office.member.call(auth.REVOKE_TOKENS, Nothing())


async def delete_user(office: Office) -> None:
    await office.admin.call(account.DELETE_USER, ByUser(user_uuid=office.member.user_uuid))


@pytest.mark.parametrize("revoke", [end_sessions, delete_user])
async def test_a_statement_whose_asker_is_revoked(
    office: Office, customer: AnyCustomer, bed: CreatedDatabase, revoke: Callable[[Office], Awaitable[None]]
) -> None:
    async with sleeping(office, customer, run_of(office, bed, NAP)) as found:
        await revoke(office)
        await found.ends(Unauthenticated, "the statement was canceled: the session has ended", REVOCATION_SECONDS)
        # Whoever stops it at the end is somebody else.
        object.__setattr__(office, "member", office.admin)


async def test_a_statement_whose_askers_secret_is_revoked(
    office: Office, customer: AnyCustomer, bed: CreatedDatabase
) -> None:
    owner = await office.tenant.owner()
    secret = await owner.call(auth.CREATE_SECRET, CreateSecret(description="short-lived", role=UserRole.ADMIN))
    member = await office.tenant.sign_in(office.member.user_uuid, secret.client_secret)
    theirs = Office(office.tenant, office.admin, member, office.team_uuid, office.agent)
    async with sleeping(theirs, customer, run_of(office, bed, NAP)) as found:
        await owner.call(auth.DELETE_SECRET, BySecret(client_secret_uuid=secret.client_secret_uuid))
        await found.ends(Unauthenticated, "the statement was canceled: the session has ended", REVOCATION_SECONDS)
        object.__setattr__(theirs, "member", office.member)


async def test_a_statement_whose_deadline_comes(office: Office, customer: AnyCustomer, bed: CreatedDatabase) -> None:
    request = run_of(office, bed, NAP, deadline=time.time() + 2)
    async with sleeping(office, customer, request) as found:
        await asyncio.sleep(max(0, request.deadline - time.time()) if request.deadline else 0)
        await found.ends(DeadlineExceeded, "the statement was canceled: its time was over")


async def test_hanging_up_cancels_nothing(
    installation: Installation, office: Office, customer: AnyCustomer, bed: CreatedDatabase
) -> None:
    request = run_of(office, bed, DOZE)
    async with sleeping(office, customer, request) as found:
        found.call.cancel()
        await asyncio.sleep(0.5)
        assert await found.runs()
        assert (await office.ask(connection.RUN, request)).preview == ((2,),)
    assert await attempts(installation, request.run_uuid) == 1


async def test_who_has_waited_long_enough_asks_again_and_gets_the_one_end(
    installation: Installation, office: Office, customer: AnyCustomer, bed: CreatedDatabase
) -> None:
    request, asked = run_of(office, bed, DOZE), 0
    while True:
        asked += 1
        try:
            waiting = Context.new(office.member.token)
            result = await office.agent.call(connection.RUN, request, waiting, timeout=0.7)
            break
        except DeadlineExceeded:
            continue
    assert result.preview == ((2,),)
    assert asked >= 3
    assert await attempts(installation, request.run_uuid) == 1


async def test_a_statement_whose_lease_cannot_be_renewed(
    installation: Installation, office: Office, customer: AnyCustomer, bed: CreatedDatabase
) -> None:
    """Before another replica may begin it. The service's own tables are away for it, the customer's aren't."""
    request = run_of(office, bed, NAP)
    async with sleeping(office, customer, request) as found:
        async with tables_away(installation):
            until = await lease(installation, request.run_uuid)
            assert await within(until - time.time(), found.is_over)
            assert await found.is_over()
        with pytest.raises((Unavailable, DeadlineExceeded)):
            await found.call


async def test_what_a_dead_replica_left_ends_before_the_statement_is_run_again(
    installation: Installation, office: Office, customer: AnyCustomer, bed: CreatedDatabase
) -> None:
    request = run_of(office, bed, DOZE)
    async with customer.left_running(label_of(office, request), NAP):
        assert await within(5, lambda: naps(customer, 1))
        await lease_ran_out(installation, office, request)
        assert (await office.ask(connection.RUN, request)).preview == ((2,),)
        assert await naps(customer, 0)
    assert await attempts(installation, request.run_uuid) == 2


async def test_a_statement_is_named_after_client_prompt_and_run(
    office: Office, customer: AnyCustomer, bed: CreatedDatabase
) -> None:
    request = run_of(office, bed, NAP)
    async with sleeping(office, customer, request):
        assert await customer.labels() == [label_of(office, request)]


def label_of(office: Office, request: Run) -> str:
    return f"basejump {str(office.tenant.client_uuid)[:8]} {request.prompt_uuid} {str(request.run_uuid)[:8]}"


async def naps(customer: AnyCustomer, count: int) -> bool:
    return len([query for query in await customer.busy() if "nap" in query]) == count


async def lease_ran_out(installation: Installation, office: Office, request: Run) -> None:
    """The run as a replica leaves it that was killed ten seconds ago."""
    begun = (office.tenant.client_uuid, request.run_uuid, request.conn_uuid, request.sql)
    admin = await installation.database()
    try:
        await admin.execute(
            """
            insert into connection_indexer.run (client_uuid, run_uuid, conn_uuid, statement, state, lease_until)
            values ($1, $2, $3, $4, 'running', clock_timestamp() - interval '1 s')
            """,
            *begun,
        )
    finally:
        await admin.close()


@asynccontextmanager
async def tables_away(installation: Installation) -> AsyncIterator[None]:
    """connection-indexer's login can't log in any more, and is logged out."""
    admin = await installation.database()
    try:
        await admin.execute("alter role basejump_connection_indexer nologin")
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'basejump_connection_indexer'"
        )
        yield
    finally:
        await admin.execute("alter role basejump_connection_indexer login")
        await admin.close()


async def lease(installation: Installation, run_uuid: UUID) -> float:
    """When another replica may begin it, in seconds since the epoch."""
    admin = await installation.database()
    try:
        until = "select extract(epoch from lease_until) from connection_indexer.run where run_uuid = $1"
        return float(await admin.fetchval(until, run_uuid))
    finally:
        await admin.close()


async def attempts(installation: Installation, run_uuid: UUID) -> int:
    admin = await installation.database()
    try:
        return int(await admin.fetchval("select attempt from connection_indexer.run where run_uuid = $1", run_uuid))
    finally:
        await admin.close()
