"""Calls with an Idempotency-Key: one effect and one answer, whoever dies when."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_common.errors import BasejumpError, Conflict, InvalidInput, NotFound, Unavailable
from basejump_common.security.envelope import Envelope
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.storage import idempotency
from basejump_common.storage.database import Database
from basejump_common.storage.erasure import erase_rows
from basejump_common.storage.idempotency import Call, Idempotency

CLIENT = UUID(int=0xC)
ENVELOPE = Envelope({"test": os.urandom(32)}, "test")
ADD = "insert into note (client_uuid, text) values ($1, $2)"


def call(key: str = "", request: bytes = b"{}", *, shows_secret: bool = False, **who: UUID) -> Call:
    caller = Principal(
        credential=Credential.ACCESS,
        role=Role.ADMIN,
        client_uuid=CLIENT,
        user_uuid=who.get("user_uuid", UUID(int=1)),
        session_uuid=who.get("session_uuid", UUID(int=2)),
    )
    return Call(caller=caller, operation="note.add", key=key or uuid4().hex, request=request, shows_secret=shows_secret)


@pytest.fixture
async def replica(notes_dsn: str, notes: Database) -> AsyncIterator[Database]:
    database = await Database.connect(notes_dsn, schema="notes", application_name="other", size=3)
    yield database
    await database.close()


def adding(database: Database, text: str, answer: bytes = b'"added"') -> Callable[[], Awaitable[bytes]]:
    async def act() -> bytes:
        async with database.tenant(CLIENT) as tx:
            await tx.execute(ADD, CLIENT, text)
        async with database.platform() as tx:
            assert await tx.fetchval("select count(*) from note") == 0, "without a tenant there is nothing to see"
        await asyncio.sleep(0.02)
        return answer

    return act


def once(database: Database, asked: Call, act: Callable[[], Awaitable[bytes]]) -> Awaitable[bytes]:
    return Idempotency(database, ENVELOPE, 2).once(asked, act, 10)


async def written(database: Database, text: str) -> int:
    async with database.tenant(CLIENT) as tx:
        return int(await tx.fetchval("select count(*) from note where text = $1", text))


async def test_fifty_at_once_over_two_replicas_have_one_effect_and_one_answer(
    notes: Database, replica: Database
) -> None:
    asked = call()
    at = [(database, Idempotency(database, ENVELOPE, 2)) for database in (notes, replica)]
    answers = await asyncio.gather(
        *(at[n % 2][1].once(asked, adding(at[n % 2][0], "fifty", b"%d" % n), 10) for n in range(50))
    )
    assert len(set(answers)) == 1
    assert await written(notes, "fifty") == 1


async def test_another_request_under_the_same_key_is_refused(notes: Database) -> None:
    asked = call()
    await once(notes, asked, adding(notes, "first"))
    with pytest.raises(InvalidInput) as refused:
        await once(notes, msgspec.structs.replace(asked, request=b'{"a":1}'), adding(notes, "first"))
    assert refused.value.errors[0].field == "Idempotency-Key"
    assert await written(notes, "first") == 1


async def test_keys_belong_to_a_credential_and_an_operation(notes: Database) -> None:
    asked = call("mine")
    others = [
        asked,
        call("mine", user_uuid=uuid4()),
        call("mine", session_uuid=uuid4()),
        msgspec.structs.replace(asked, operation="note.other"),
        call("MINE"),
    ]
    for other in others:
        await once(notes, other, adding(notes, "own"))
    assert await written(notes, "own") == len(others)


async def failing(database: Database, error: BasejumpError) -> bytes:
    async with database.tenant(CLIENT) as tx:
        await tx.execute(ADD, CLIENT, "undone")
    raise error


async def test_a_refusal_is_remembered_and_undoes_what_was_written(notes: Database) -> None:
    asked = call()
    for error in (NotFound("no such team", details={"why": "test"}), Conflict("never asked")):
        with pytest.raises(NotFound) as refused:
            await once(notes, asked, lambda error=error: failing(notes, error))  # type: ignore[misc]
        assert (refused.value.message, refused.value.details) == ("no such team", {"why": "test"})
    assert await written(notes, "undone") == 0


async def test_what_passes_is_not_remembered(notes: Database) -> None:
    asked = call()
    with pytest.raises(Unavailable):
        await once(notes, asked, lambda: failing(notes, Unavailable("away")))
    assert await written(notes, "undone") == 0
    assert await once(notes, asked, adding(notes, "second try")) == b'"added"'
    assert await written(notes, "second try") == 1


async def test_a_connection_that_dies_leaves_neither_effect_nor_answer(notes: Database, replica: Database) -> None:
    asked, begun = call(), asyncio.Event()

    async def dies() -> bytes:
        async with notes.tenant(CLIENT) as tx:
            await tx.execute(ADD, CLIENT, "died")
            await tx.execute("select set_config('application_name', 'victim', true)")
        begun.set()
        await asyncio.sleep(0.2)
        async with notes.tenant(CLIENT):
            return b"never"

    dying = asyncio.ensure_future(once(notes, asked, dies))
    await begun.wait()
    waiting = asyncio.ensure_future(once(replica, asked, adding(replica, "died")))
    async with replica.platform() as tx:
        await tx.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'")
    with pytest.raises(Unavailable):
        await dying
    assert await waiting == b'"added"'
    assert await written(notes, "died") == 1


async def test_an_answer_that_shows_a_secret_is_sealed_and_kept_ten_minutes(notes: Database) -> None:
    asked = call(shows_secret=True)
    await once(notes, asked, adding(notes, "secret", b"hunter2"))
    assert await once(notes, asked, adding(notes, "secret")) == b"hunter2"
    async with notes.platform() as tx:
        row = await tx.fetchrow("select * from idempotency where call = $1", asked.name)
        assert row is not None
        assert b"hunter2" not in row["answer"]
        seconds = await tx.fetchval("select extract(epoch from $1 - now())", row["answer_until"])
        assert 590 < seconds <= 600
        await tx.execute("update idempotency set answer_until = now() where call = $1", asked.name)
    with pytest.raises(Conflict):
        await once(notes, asked, adding(notes, "secret"))
    async with notes.platform() as tx:
        assert await idempotency.forget(tx) >= 1
        assert await tx.fetchval("select answer from idempotency where call = $1", asked.name) is None
    assert await written(notes, "secret") == 1


async def test_an_answer_to_the_operator_goes_with_the_client_that_it_is_about(notes: Database) -> None:
    operator = Principal(credential=Credential.CLIENT_SECRET, role=Role.INTERNAL, client_uuid=None, secret_uuid=uuid4())
    asked = msgspec.structs.replace(call(shows_secret=True), caller=operator)
    told = msgspec.json.encode({"client_uuid": CLIENT, "client_secret": "bj_test_x"})
    other = msgspec.structs.replace(asked, key="about nobody")
    await once(notes, asked, adding(notes, "made", told))
    await once(notes, other, adding(notes, "made", b"{}"))
    assert await once(notes, asked, adding(notes, "made")) == told
    async with notes.tenant(CLIENT) as tx:
        assert await erase_rows(tx, CLIENT) >= 1
        left = await tx.fetchrow("select answer, about from idempotency where call = $1", asked.name)
    assert left is not None
    assert tuple(left) == (None, None)
    assert await once(notes, other, adding(notes, "made")) == b"{}"
    with pytest.raises(Conflict):
        await once(notes, asked, adding(notes, "made again"))
    assert await written(notes, "made again") == 0


async def test_after_a_day_the_key_is_free_again(notes: Database) -> None:
    asked = call()
    await once(notes, asked, adding(notes, "daily"))
    async with notes.platform() as tx:
        await tx.execute("update idempotency set created_at = now() - interval '25 hours'")
    await once(notes, msgspec.structs.replace(asked, request=b"other"), adding(notes, "daily", b"new"))
    assert await written(notes, "daily") == 2
    async with notes.platform() as tx:
        await tx.execute("update idempotency set created_at = now() - interval '25 hours'")
        await idempotency.forget(tx)
        assert await tx.fetchval("select count(*) from idempotency") == 0


async def test_an_answer_too_large_to_keep_is_given_once(notes: Database) -> None:
    asked, large = call(), b"x" * (idempotency.MOST_BYTES + 1)
    assert await once(notes, asked, adding(notes, "large", large)) == large
    with pytest.raises(Conflict):
        await once(notes, asked, adding(notes, "large"))
    assert await written(notes, "large") == 1


async def test_an_answer_whose_master_key_is_gone_is_no_longer_told(notes: Database) -> None:
    asked = call()
    await once(notes, asked, adding(notes, "rotated"))
    rotated = Idempotency(notes, Envelope({"new": os.urandom(32)}, "new"), 2)
    with pytest.raises(Conflict):
        await rotated.once(asked, adding(notes, "rotated"), 10)
    assert await written(notes, "rotated") == 1


async def test_tasks_of_the_call_write_one_after_another_and_later_ones_by_themselves(notes: Database) -> None:
    late: list[asyncio.Task[None]] = []

    async def write(text: str, seconds: float = 0) -> None:
        await asyncio.sleep(seconds)
        async with notes.tenant(CLIENT) as tx:
            await tx.execute(ADD, CLIENT, text)
            await tx.execute("select pg_sleep(0.01)")

    async def act() -> bytes:
        late.append(asyncio.create_task(write("late", 0.2)))
        await asyncio.gather(*(write("together") for _ in range(5)))
        raise NotFound("so all of it is undone")

    with pytest.raises(NotFound):
        await once(notes, call(), act)
    await asyncio.gather(*late)
    assert (await written(notes, "together"), await written(notes, "late")) == (0, 1)
