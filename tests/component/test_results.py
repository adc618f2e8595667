"""Results over REST: changed, refreshed, read by the hundred, deleted with their rows."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import ByGrant
from basejump_common.security.principal import UserRole
from gateway_backend import problem_of
from identity import within
from installation import Installation
from keeping import Kept, keeping

HOW_MANY = "How many customers are there?"


@pytest.fixture(scope="module")
async def kept(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with keeping(installation, tmp_path_factory.mktemp("results")) as opened:
        yield opened


@pytest.fixture
async def count(kept: Kept) -> UUID:
    return await kept.ask(HOW_MANY)


async def test_a_result_is_given_other_words(kept: Kept, count: UUID) -> None:
    before = await kept.good("GET", f"{count}/")
    changed = await kept.good("PUT", f"{count}/", {"result_title": "Customers", "result_description": ""})
    assert changed == before | {"result_title": "Customers", "result_description": ""}
    assert await kept.good("GET", f"{count}/") == changed
    problem_of(await kept.send("PUT", f"{count}/", {"result_title": ""}), 422)
    problem_of(await kept.send("PUT", f"{count}/", {"result_title": "Mine"}, person=await kept.colleague()), 404)
    by_admin = await kept.good("PUT", f"{count}/", {"result_subtitle": "all of them"}, person=kept.office.admin)
    assert (by_admin["result_title"], by_admin["result_subtitle"]) == ("Customers", "all of them")


async def test_a_refreshed_result_has_the_rows_of_now_and_words_that_fit_them(kept: Kept) -> None:
    count = await kept.ask("How many purchases are there?")
    before = await kept.good("GET", f"{count}/")
    old_file = kept.newest_file()
    assert (before["preview"], before["refreshed_at"]) == ([[200]], None)
    await kept.customer.execute("insert into shop.purchase select n, 1, 1, now() from generate_series(1001, 1005) n")
    after = await kept.good("POST", f"{count}/refresh/")
    assert after["preview"] == [[205]]
    assert "205" in after["result_description"]
    assert after["refreshed_at"] > before["created_at"] == after["created_at"]
    assert (await kept.send("GET", f"{count}/csv/")).text.splitlines()[1] == "205"

    async def forgotten() -> bool:
        return not old_file.exists()

    assert await within(5, forgotten), "the rows before are no longer kept"
    assert (await kept.good("GET", f"{count}/")) == after


async def test_a_description_that_a_person_wrote_stays(kept: Kept, count: UUID) -> None:
    await kept.good("PUT", f"{count}/", {"result_description": "as told to the board"})
    assert (await kept.good("POST", f"{count}/refresh/"))["result_description"] == "as told to the board"


async def test_refreshing_with_one_run_uuid_runs_once(kept: Kept, count: UUID) -> None:
    body = {"run_uuid": str(uuid4())}
    answers = await asyncio.gather(*(kept.good("POST", f"{count}/refresh/", body) for _ in range(4)))
    again = await kept.good("POST", f"{count}/refresh/", body)
    assert all(answer == again for answer in answers)


async def test_a_chart_is_drawn_again(kept: Kept) -> None:
    drawn = await kept.ask("How many purchases are there by customer?", return_visual_json=True)
    before = await kept.good("GET", f"{drawn}/")
    assert before["visual_json"] is not None
    await kept.customer.execute("insert into shop.purchase select n, 2, 1, now() from generate_series(2001, 2050) n")
    after = await kept.good("POST", f"{drawn}/refresh/")
    assert after["visual_json"] is not None
    assert after["visual_json"] != before["visual_json"]


async def test_a_refresh_runs_under_the_grants_of_now(kept: Kept, count: UUID) -> None:
    grant = ByGrant(conn_uuid=kept.shop.conn_uuid, team_uuid=kept.office.team_uuid)
    await kept.office.admin.call(connection.REVOKE_GRANT, grant)
    try:
        problem_of(await kept.send("POST", f"{count}/refresh/"), 404)
    finally:
        await kept.office.grant(kept.shop.conn_uuid)
    problem_of(await kept.send("POST", f"{count}/refresh/", person=await kept.colleague()), 404)
    await kept.good("POST", f"{count}/refresh/")


async def test_many_results_come_at_once_and_what_is_missing_is_named(kept: Kept, count: UUID) -> None:
    other = await kept.ask("Which customers live in Oslo?")
    stranger, absent = await kept.desk.office(), str(uuid4())
    asked = {"result_uuids": [str(other), absent, str(count), str(other)]}
    found = await kept.good("POST", "bulk/", asked)
    assert [result["result_uuid"] for result in found["data"]] == [str(other), str(count)]
    assert found["data"][1] == await kept.good("GET", f"{count}/")
    assert (found["missing"], found["left_out"]) == ([absent], [])
    for person in (await kept.colleague(), stranger.member):
        nothing = await kept.good("POST", "bulk/", asked, person=person)
        assert nothing == {"data": [], "missing": [str(other), absent, str(count)], "left_out": []}
    assert len((await kept.good("POST", "bulk/", asked, person=kept.office.admin))["data"]) == 2
    problem_of(await kept.send("POST", "bulk/", {"result_uuids": [str(uuid4()) for _ in range(201)]}), 422)
    problem_of(await kept.send("POST", "bulk/", {"result_uuids": []}), 422)


async def test_what_a_reply_has_no_room_for_is_left_out_and_named(kept: Kept) -> None:
    await kept.customer.execute(
        "create table shop.essay as select n as id, repeat('word ', 1500) as text from generate_series(1, 60) n;"
        f"grant select on shop.essay to {kept.customer.reader}"
    )
    await kept.office.admin.call(
        connection.UPDATE_DATABASE, connection.UpdateDatabase(db_uuid=kept.shop.db_uuid, database_desc="essays")
    )
    await kept.office.indexed(kept.shop.db_uuid)
    essays = [str(await kept.ask("Show all essays")) for _ in range(4)]
    found = await kept.good("POST", "bulk/", {"result_uuids": essays})
    given = [result["result_uuid"] for result in found["data"]]
    assert given
    assert given + found["left_out"] == essays
    assert found["left_out"]
    page = (await kept.good("GET", "?limit=4"))["data"]
    assert 0 < len(page) < 4, "a page is shorter where a reply has no room"


async def test_a_deleted_result_is_gone_with_its_rows(kept: Kept) -> None:
    count = await kept.ask("How many cities are there?")
    file = kept.newest_file()
    problem_of(await kept.send("DELETE", f"{count}/", person=await kept.colleague()), 404)
    await kept.good("DELETE", f"{count}/")
    for call in (
        ("GET", f"{count}/"),
        ("DELETE", f"{count}/"),
        ("GET", f"{count}/csv/"),
        ("POST", f"{count}/refresh/"),
    ):
        problem_of(await kept.send(*call), 404)

    async def forgotten() -> bool:
        return not file.exists()

    assert await within(5, forgotten)


async def test_a_list_widens_for_an_admin(kept: Kept, count: UUID) -> None:
    page = await kept.good("GET", "?include_all_client_info=true", person=kept.office.admin)
    assert str(count) in [result["result_uuid"] for result in page["data"]]
    assert (await kept.good("GET", "", person=kept.office.admin))["data"] == []
    colleague = await kept.office.tenant.person(UserRole.MEMBER)
    problem_of(await kept.send("GET", "?include_all_client_info=true", person=colleague), 403)
