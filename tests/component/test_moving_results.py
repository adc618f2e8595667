"""Results in a client's own bucket: new ones at once, those that are kept follow, and go back; nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from basejump_common.bus import Context
from basejump_common.contracts import connection, storage
from basejump_common.contracts.common import ByClient, Nothing
from basejump_common.contracts.connection import CreatedDatabase, ReadRun, RunResult
from basejump_common.contracts.storage import ByStorage, MigrationState, MigrationStatus, Storage
from basejump_common.errors import Conflict, NotFound, QueryFailed, StorageAway
from connection_house import Desk, Office, connected
from identity import Person
from installation import Installation
from own_bucket import Answer, ObjectServer

SHOP = """
create schema shop;
create table shop.many as select n as id, md5(n::text) as word from generate_series(1, 300000) n;
"""
SECONDS = 40.0


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    with ObjectServer() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
async def desk(installation: Installation, folder: Path) -> AsyncIterator[Desk]:
    url = (folder / "kept").as_uri()
    async with connected(installation, folder / "tls", results_url=url, moved_results_seconds="0.1") as opened:
        yield opened


class Keeper:
    """A client with a database, a bucket of its own, and its OWNER."""

    def __init__(self, office: Office, owner: Person, shop: CreatedDatabase, server: ObjectServer, own: Path) -> None:
        self.office = office
        self.owner = owner
        self.shop = shop
        self.server = server
        self.bucket = server.make_bucket()
        self.own = own / str(office.tenant.client_uuid)

    async def add(self, **changes: Any) -> Storage:
        return await self.owner.call(storage.CREATE_STORAGE, self.server.fields(self.bucket, **changes))

    async def activate(self, added: Storage) -> MigrationStatus:
        return await self.owner.call(storage.ACTIVATE_STORAGE, ByStorage(storage_uuid=added.storage_uuid))

    async def deactivate(self, added: Storage) -> MigrationStatus:
        return await self.owner.call(storage.DEACTIVATE_STORAGE, ByStorage(storage_uuid=added.storage_uuid))

    async def delete(self, added: Storage) -> None:
        await self.owner.call(storage.DELETE_STORAGE, ByStorage(storage_uuid=added.storage_uuid))

    async def status(self) -> MigrationStatus:
        return await self.owner.call(storage.MIGRATION_STATUS, Nothing())

    async def until(self, holds: Callable[[MigrationStatus], bool]) -> MigrationStatus:
        async with asyncio.timeout(SECONDS):
            while not holds(status := await self.status()):  # noqa: ASYNC110 - it is told by nothing else
                await asyncio.sleep(0.05)
        return status

    async def moved(self) -> MigrationStatus:
        return await self.until(lambda status: status.state is MigrationState.FINISHED)

    async def run(self, most: int, run_uuid: UUID | None = None) -> RunResult:
        sql = f"select id, word from shop.many where id <= {most} order by id"
        return await self.office.run(self.shop, sql, run_uuid=run_uuid)

    async def last_word(self, ran: RunResult) -> Any:
        """That the rows can be read, to the last one."""
        request = ReadRun(
            run_uuid=ran.run_uuid,
            conn_uuid=self.shop.conn_uuid,
            team_uuid=self.office.team_uuid,
            columns=(0,),
            by=0,
            pick=connection.Pick.LARGEST,
            most=1,
        )
        return (await self.office.ask(connection.READ_RUN, request)).rows[0][0]

    def kept_by_us(self) -> list[str]:
        return sorted(path.name for path in self.own.glob("*.parquet")) if self.own.exists() else []

    def kept_in_bucket(self) -> list[str]:
        return [key for key in self.server.keys(self.bucket) if key.startswith("basejump/results/")]


@pytest.fixture
async def keeper(desk: Desk, server: ObjectServer, folder: Path) -> AsyncIterator[Keeper]:
    office = await desk.office()
    shop = await office.add(desk.fields(await desk.customer(SHOP)))
    yield Keeper(office, await office.tenant.owner(), shop, server, folder / "kept")
    server.spoil = None


async def test_results_move_to_the_bucket_and_back(keeper: Keeper) -> None:
    assert (await keeper.status()).state is MigrationState.NONE
    before = [await keeper.run(most) for most in (3, 4, 300_000)]
    assert before[2].bytes > 6_000_000, "one of several parts"
    added = await keeper.add()
    await keeper.activate(added)
    new = await keeper.run(5)
    status = await keeper.moved()
    assert (status.storage_uuid, status.total, status.done, status.failed) == (added.storage_uuid, 3, 3, 0)
    assert status.error is None
    assert status.finished_at is not None
    assert (keeper.kept_by_us(), len(keeper.kept_in_bucket())) == ([], 4)
    used = await keeper.owner.call(storage.GET_STORAGE_IN_USE, Nothing())
    assert (used.storage_uuid, used.results) == (added.storage_uuid, 4)
    assert [await keeper.last_word(ran) for ran in (*before, new)] == [3, 4, 300_000, 5]
    assert await keeper.run(3, before[0].run_uuid) == before[0], "it runs no more"

    with pytest.raises(Conflict):
        await keeper.delete(added)
    await keeper.deactivate(added)
    status = await keeper.moved()
    assert (status.storage_uuid, status.total, status.done) == (None, 4, 4)
    assert (len(keeper.kept_by_us()), keeper.kept_in_bucket()) == (4, [])
    assert [await keeper.last_word(ran) for ran in (*before, new)] == [3, 4, 300_000, 5]
    with pytest.raises(NotFound):
        await keeper.owner.call(storage.GET_STORAGE_IN_USE, Nothing())
    await keeper.delete(added)


async def test_a_large_result_is_read_from_the_bucket_in_few_requests(keeper: Keeper) -> None:
    await keeper.activate(await keeper.add())
    ran = await keeper.run(300_000)
    keeper.server.requests.clear()
    assert await keeper.last_word(ran) == 300_000
    asked = [method for method, path, _ in keeper.server.requests if path.endswith(".parquet")]
    assert len(asked) < 10, "two columns in fifteen groups of rows"


async def test_a_statement_that_fails_in_the_middle_leaves_no_parts_behind(keeper: Keeper) -> None:
    await keeper.activate(await keeper.add())
    with pytest.raises(QueryFailed):
        await keeper.office.run(keeper.shop, "select id, word, 1 / (299990 - id) as bad from shop.many")
    begun = [path for method, path, _ in keeper.server.requests if method == "POST" and path.endswith(".parquet")]
    assert begun, "it was to be uploaded in parts"
    assert keeper.server.unfinished(keeper.bucket) == 0
    assert keeper.kept_in_bucket() == []


async def test_results_move_from_one_bucket_to_another(keeper: Keeper) -> None:
    first, second = await keeper.add(prefix="one"), await keeper.add(prefix="two", active=None)
    await keeper.activate(first)
    ran = await keeper.run(7)
    await keeper.activate(second)
    await keeper.moved()
    assert [key.partition("/")[0] for key in keeper.server.keys(keeper.bucket)] == ["two"]
    assert await keeper.last_word(ran) == 7
    await keeper.delete(first)


async def test_two_storages_may_be_one_place(keeper: Keeper) -> None:
    first, second = await keeper.add(), await keeper.add()
    ran = await keeper.run(7)
    for added in (first, second):
        await keeper.activate(added)
        await keeper.moved()
        assert len(keeper.kept_in_bucket()) == 1
        assert await keeper.last_word(ran) == 7


async def test_a_bucket_in_which_results_are_stays_where_it_is(keeper: Keeper) -> None:
    added = await keeper.add(active=True)
    assert added.active
    given = keeper.server.fields(keeper.bucket, alias=added.alias, prefix="elsewhere")
    fields = {name: getattr(given, name) for name in given.__struct_fields__}
    with pytest.raises(Conflict):
        await keeper.owner.call(
            storage.UPDATE_STORAGE, storage.UpdateStorage(storage_uuid=added.storage_uuid, **fields)
        )
    fields |= {"prefix": added.prefix, "alias": "another name", "active": False}
    changed = await keeper.owner.call(
        storage.UPDATE_STORAGE, storage.UpdateStorage(storage_uuid=added.storage_uuid, **fields)
    )
    assert (changed.alias, changed.active) == ("another name", False)


async def test_while_the_bucket_is_away_nothing_is_lost(keeper: Keeper) -> None:
    await keeper.activate(await keeper.add())
    ran = await keeper.run(3)
    keeper.server.go_away()
    try:
        failed = UUID(int=0xA)
        for _ in range(2):
            with pytest.raises(StorageAway) as raised:
                await keeper.run(4, failed)
            assert raised.value.retry_after
        with pytest.raises(StorageAway):
            await keeper.last_word(ran)
    finally:
        keeper.server.come_back()
    assert await keeper.last_word(ran) == 3
    assert await keeper.last_word(await keeper.run(4, failed)) == 4


async def test_moving_waits_for_a_bucket_that_is_away(keeper: Keeper) -> None:
    before = [await keeper.run(most) for most in (3, 4)]
    added = await keeper.add()
    keeper.server.spoil = refusing_results
    await keeper.activate(added)
    status = await keeper.until(lambda status: status.state is MigrationState.WAITING)
    assert (status.done, status.failed, status.total) == (0, 2, 2)
    assert "can't be used at the moment" in (status.error or "")
    assert [await keeper.last_word(ran) for ran in before] == [3, 4], "they are where they were"
    keeper.server.spoil = None
    status = await keeper.moved()
    assert (status.done, status.failed, status.error) == (2, 0, None)
    assert [await keeper.last_word(ran) for ran in before] == [3, 4]


async def test_what_is_spoilt_on_its_way_stays_where_it_was(keeper: Keeper) -> None:
    ran = await keeper.run(3)
    added = await keeper.add()
    keeper.server.spoil = spoiling_reads
    await keeper.activate(added)
    status = await keeper.until(lambda status: status.state is MigrationState.WAITING)
    assert status.done == 0
    assert "something else than was written" in (status.error or "")
    assert len(keeper.kept_by_us()) == 1
    assert await keeper.last_word(ran) == 3
    keeper.server.spoil = None
    await keeper.moved()
    assert len(keeper.kept_in_bucket()) == 1, "the spoilt copy is gone"
    assert await keeper.last_word(ran) == 3


async def test_turning_back_in_the_middle_ends_where_it_began(keeper: Keeper) -> None:
    ran = [await keeper.run(most) for most in range(1, 8)]
    added = await keeper.add()
    for _ in range(3):
        await keeper.activate(added)
        await asyncio.sleep(0.2)
        await keeper.deactivate(added)
    await keeper.moved()
    assert [await keeper.last_word(one) for one in ran] == list(range(1, 8))
    assert (len(keeper.kept_by_us()), keeper.kept_in_bucket()) == (7, [])


async def test_a_run_that_began_before_moves_when_it_has_ended(keeper: Keeper) -> None:
    slow = "select count(*) as n from shop.many a cross join shop.many b where b.id <= 100"
    running = asyncio.create_task(keeper.office.run(keeper.shop, slow))
    await asyncio.sleep(0.5)
    await keeper.activate(await keeper.add())
    ran = await running
    await keeper.moved()
    assert (keeper.kept_by_us(), len(keeper.kept_in_bucket())) == ([], 1)
    assert await keeper.last_word(ran) == 30_000_000


async def test_a_forgotten_run_leaves_nothing_in_the_bucket(keeper: Keeper, installation: Installation) -> None:
    await keeper.activate(await keeper.add())
    ran = await keeper.run(3)
    assert len(keeper.kept_in_bucket()) == 1
    request = connection.ForgetRuns(client_uuid=keeper.office.tenant.client_uuid, run_uuids=(ran.run_uuid,))
    async with installation.bus("chat-agent") as agent:
        assert (await agent.call(connection.FORGET_RUNS, request, Context.new(seconds=30))).count == 2
    assert keeper.kept_in_bucket() == []


async def test_erasing_a_client_leaves_in_its_bucket_what_is_not_ours(
    keeper: Keeper, installation: Installation
) -> None:
    await keeper.activate(await keeper.add())
    await keeper.run(3)
    client_uuid = keeper.office.tenant.client_uuid
    theirs = [f"basejump/results/{client_uuid}/notes.txt", "basejump/results/theirs.parquet"]
    for key in theirs:
        await keeper.server.store(keeper.bucket).put_async(key, b"theirs")
    async with installation.bus("account") as account:

        async def erased() -> int:
            context = Context.new(seconds=30)
            return (await account.call(connection.ERASE_CLIENT, ByClient(client_uuid=client_uuid), context)).count

        keeper.server.go_away()
        try:
            with pytest.raises(StorageAway):
                await erased()
        finally:
            keeper.server.come_back()
        assert await erased() > 0
        assert await erased() == 0
    assert keeper.server.keys(keeper.bucket) == theirs


def refusing_results(environ: dict[str, Any]) -> Answer | None:
    """Of what is written probes alone go through."""
    if environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].endswith(".parquet"):
        return "503 Slow Down", [], b""
    return None


def spoiling_reads(environ: dict[str, Any]) -> Answer | None:
    """Zeros in the place of results."""
    if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].endswith(".parquet"):
        return None
    asked = environ["HTTP_RANGE"].removeprefix("bytes=")
    size = int(asked.partition("-")[2]) - int(asked.partition("-")[0]) + 1
    fields = {"Content-Range": f"bytes {asked}/{size}", "ETag": '"1"', "Last-Modified": "Sat, 28 Nov 2026 00:00:00 GMT"}
    return "206 Partial Content", list(fields.items()), bytes(size)
