"""Results that grow old or lose what they were asked in: marked, and gone with their rows, but for what is saved."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

import basejump_chat_agent
from basejump_chat_agent.forgetting import forget_later
from basejump_common.contracts import account, chat, connection, result
from basejump_common.contracts.account import ByTeam
from basejump_common.contracts.client_settings import UpdateClientSettings
from basejump_common.contracts.common import ByUser
from basejump_common.contracts.connection import ByDatabase
from basejump_common.contracts.result import ByResult
from gateway_backend import problem_of
from identity import within
from installation import Installation
from keeping import Kept, keeping
from talking import talk_of

MIGRATION = Path(basejump_chat_agent.__file__).parents[1] / "migrations" / "0013_expiry_begins.sql"
HOW_MANY = "How many customers are there?"


@pytest.fixture(scope="module")
async def running(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with keeping(installation, tmp_path_factory.mktemp("expiring")) as opened:
        yield opened


@pytest.fixture
async def kept(running: Kept) -> Kept:
    """An office of its own."""
    office, customer = await running.desk.office(), await running.desk.customer()
    shop = await office.add(running.desk.fields(customer))
    return replace(running, office=office, customer=customer, shop=shop)


@pytest.fixture
async def tables(installation: Installation) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """As nobody but a test sees them: without tenants."""
    opened = await installation.database()
    await opened.execute("set search_path = chat_agent")
    yield opened
    await opened.close()


@pytest.fixture
def aged(tables: Any) -> Callable[[UUID, int], Awaitable[None]]:
    async def age(result_uuid: UUID, days: int) -> None:
        await tables.execute(
            "update result set created_at = now() - make_interval(days => $2) where result_uuid = $1", result_uuid, days
        )

    return age


@pytest.fixture
def night(kept: Kept, tables: Any) -> Callable[[], Awaitable[None]]:
    """The client's clean-up, now; returns when it has ended and the next one waits."""

    async def tonight() -> None:
        client_uuid = kept.office.tenant.client_uuid
        job = await tables.fetchval(
            "update job set run_after = now() where kind = 'expire' and client_uuid = $1 and state = 'queued' "
            "returning job_uuid",
            client_uuid,
        )
        assert job is not None

        async def ended() -> bool:
            return bool(await tables.fetchval("select state = 'finished' from job where job_uuid = $1", job))

        assert await within(10, ended)
        # The next night's job has the same name while the day hasn't changed: as it would be tomorrow, it is let in.
        await tables.execute(
            "update job set state = 'queued', finished_at = null, run_after = now() + interval '1 day' "
            "where job_uuid = $1",
            job,
        )

    return tonight


async def there(kept: Kept, result_uuid: UUID) -> bool:
    return (await kept.send("GET", f"{result_uuid}/", person=kept.office.admin)).status_code == 200


async def test_what_is_old_goes_with_its_rows_and_what_is_saved_verified_or_young_stays(
    kept: Kept, aged: Any, night: Any
) -> None:
    old = await kept.ask(HOW_MANY)
    file = kept.newest_file()
    saved, young = await kept.ask(HOW_MANY), await kept.ask(HOW_MANY)
    verified = await kept.ask("Show all customers")
    await kept.good("PUT", f"{verified}/", {"verified": True}, person=kept.office.admin)
    await kept.good("POST", "save/", {"result_uuid": str(saved)})
    await aged(old, 366)
    await aged(saved, 366)
    await aged(verified, 366)
    await aged(young, 364)
    await night()
    assert [await there(kept, one) for one in (old, saved, verified, young)] == [False, True, True, True]

    async def forgotten() -> bool:
        return not file.exists()

    assert await within(5, forgotten)
    assert (await kept.send("GET", f"{saved}/csv/")).status_code == 200


async def test_what_is_verified_stays_however_old_until_it_isnt_any_more(kept: Kept, aged: Any, night: Any) -> None:
    verified = await kept.ask(HOW_MANY)
    await kept.good("PUT", f"{verified}/", {"verified": True})
    await aged(verified, 366)
    await night()
    assert await there(kept, verified)
    await kept.good("PUT", f"{verified}/", {"verified": False})
    await night()
    assert not await there(kept, verified)


@pytest.fixture
def nights(kept: Kept, tables: Any) -> Callable[[], Awaitable[bool]]:
    """Whether a night is to come."""

    async def one_waits() -> bool:
        found = "select exists (select from job where kind = 'expire' and client_uuid = $1 and state = 'queued')"
        return bool(await tables.fetchval(found, kept.office.tenant.client_uuid))

    return one_waits


async def test_a_night_that_failed_is_not_the_last_one(kept: Kept, tables: Any, nights: Any) -> None:
    await kept.ask(HOW_MANY)
    await tables.execute(
        "update job set job_uuid = gen_random_uuid(), state = 'running', attempt = max_attempts, "
        "lease_until = now() - interval '1 s' where kind = 'expire' and client_uuid = $1",
        kept.office.tenant.client_uuid,
    )
    assert not await nights()
    assert await within(30, nights)


async def test_nights_begin_for_clients_that_asked_before_there_were_any(kept: Kept, tables: Any, nights: Any) -> None:
    await kept.ask(HOW_MANY)
    await tables.execute("delete from job where kind = 'expire'")
    await tables.execute(MIGRATION.read_text())
    assert await nights()
    protected = "select relforcerowsecurity from pg_class where oid = 'chat_agent.result'::regclass"
    assert await tables.fetchval(protected)


async def test_a_client_keeps_results_for_less(kept: Kept, aged: Any, night: Any) -> None:
    owner = await kept.office.tenant.owner()
    await owner.call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(result_days=30))
    old, young = await kept.ask(HOW_MANY), await kept.ask(HOW_MANY)
    await aged(old, 31)
    await aged(young, 29)
    await night()
    assert [await there(kept, one) for one in (old, young)] == [False, True]


async def test_results_of_a_deleted_chat_stay_when_they_are_saved(kept: Kept, night: Any) -> None:
    talk = await talk_of(kept.office)
    uuids = [(await talk.answer(HOW_MANY)).result_uuid for _ in range(2)]
    saved, plain = (uuid for uuid in uuids if uuid is not None)
    await kept.good("POST", "save/", {"result_uuid": str(saved)})
    await kept.office.member.call(chat.DELETE_CHAT, chat.ByChat(chat_uuid=talk.chat.chat_uuid))
    for uuid in (saved, plain):
        assert (await kept.good("GET", f"{uuid}/"))["orphan_type"] == "chat_deleted"
    await night()
    assert [await there(kept, one) for one in (saved, plain)] == [True, False]


async def test_results_of_a_deleted_user_stay_for_admins_and_what_is_shared_for_the_team(kept: Kept) -> None:
    mate = await kept.colleague()
    private, shared = await kept.ask(HOW_MANY), await kept.ask(HOW_MANY)
    alone = await kept.good("POST", "save/", {"result_uuid": str(private)})
    both = await kept.good("POST", "save/", {"result_uuid": str(shared), "share_w_team": True})
    await kept.office.admin.call(account.DELETE_USER, ByUser(user_uuid=kept.office.member.user_uuid))
    assert await within(5, lambda: marked(kept, private, "user_deleted"))
    problem_of(await kept.send("GET", f"saved/{alone['saved_result_uuid']}/", person=kept.office.admin), 404)
    read = await kept.good("GET", f"saved/{both['saved_result_uuid']}/", person=mate)
    assert read["result"]["orphan_type"] == "user_deleted"


async def test_results_of_a_deleted_team_are_marked_and_shared_no_more(kept: Kept) -> None:
    uuid = await kept.ask(HOW_MANY)
    saved = await kept.good("POST", "save/", {"result_uuid": str(uuid), "share_w_team": True})
    await kept.office.admin.call(account.DELETE_TEAM, ByTeam(team_uuid=kept.office.team_uuid))
    assert await within(5, lambda: marked(kept, uuid, "team_deleted"))
    read = await kept.good("GET", f"saved/{saved['saved_result_uuid']}/", person=kept.office.admin)
    assert (read["share_w_team"], read["team_uuid"]) == (False, None)


async def test_results_of_a_deleted_connection_go_at_night(kept: Kept, tables: Any, night: Any) -> None:
    uuid = await kept.ask(HOW_MANY)
    await kept.office.admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=kept.shop.db_uuid))
    problem_of(await kept.send("GET", f"{uuid}/", person=kept.office.admin), 404)

    async def kind() -> bool:
        query = "select orphan_type = 'connection_deleted' from result where result_uuid = $1"
        return bool(await tables.fetchval(query, uuid))

    assert await within(5, kind)
    await night()
    assert await tables.fetchval("select count(*) from result where result_uuid = $1", uuid) == 0


async def test_rows_that_a_result_refers_to_are_not_forgotten(
    kept: Kept, tables: Any, installation: Installation
) -> None:
    uuid, client_uuid = await kept.ask(HOW_MANY), kept.office.tenant.client_uuid
    run_uuid = await tables.fetchval("select run_uuid from result where result_uuid = $1", uuid)
    async with installation.storage("chat-agent") as database, database.tenant(client_uuid) as tx:
        await forget_later(tx, client_uuid, [run_uuid])
    query = "select bool_and(state = 'finished') from job where kind = 'forget' and client_uuid = $1"

    async def finished() -> bool:
        return bool(await tables.fetchval(query, client_uuid))

    assert await within(5, finished)
    assert (await kept.send("GET", f"{uuid}/csv/")).status_code == 200


async def marked(kept: Kept, result_uuid: UUID, kind: str) -> bool:
    found = await kept.office.admin.call(result.GET_RESULT, ByResult(result_uuid=result_uuid))
    return found.orphan_type == kind
