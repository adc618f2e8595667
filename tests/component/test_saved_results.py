"""Saved results: under words of one's own, shared with teams that hold the grant, found again."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from basejump_common.contracts import chat, connection
from basejump_common.contracts.connection import ByGrant, GrantTeams
from basejump_common.security.principal import UserRole
from gateway_backend import problem_of
from installation import Installation
from keeping import Kept, keeping
from talking import talk_of


@pytest.fixture(scope="module")
async def kept(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with keeping(installation, tmp_path_factory.mktemp("saved")) as opened:
        yield opened


@pytest.fixture
async def count(kept: Kept) -> UUID:
    return await kept.ask("How many customers are there?")


async def save(kept: Kept, result: UUID, **fields: Any) -> dict[str, Any]:
    return await kept.good("POST", "save/", {"result_uuid": str(result)} | fields)


async def test_a_saved_result_has_words_of_its_own(kept: Kept, count: UUID) -> None:
    plain = await kept.good("GET", f"{count}/")
    saved = await save(kept, count, title="Head count")
    assert saved["title"] == "Head count"
    assert (saved["subtitle"], saved["description"]) == (plain["result_subtitle"], plain["result_description"])
    assert (saved["share_w_team"], saved["team_uuid"], saved["result"]) == (False, None, None)
    read = await kept.good("GET", f"saved/{saved['saved_result_uuid']}/")
    assert read == saved | {"result": plain}
    again = await save(kept, count, title="People")
    assert again["saved_result_uuid"] == saved["saved_result_uuid"]
    assert again["title"] == "People"


async def test_the_message_says_that_its_result_is_saved(kept: Kept) -> None:
    final = await (await talk_of(kept.office)).answer("How many customers are there?")
    assert final.result_uuid is not None
    by_uuid = chat.ByMessage(msg_uuid=final.msg_uuid)
    saved = await save(kept, final.result_uuid)
    marked = await kept.office.member.call(chat.GET_MESSAGE, by_uuid)
    assert str(marked.saved_result_uuid) == saved["saved_result_uuid"]
    await kept.good("DELETE", f"saved/{saved['saved_result_uuid']}/")
    assert await kept.office.member.call(chat.GET_MESSAGE, by_uuid) == final


async def test_what_is_saved_is_not_deleted(kept: Kept, count: UUID) -> None:
    saved = await save(kept, count)
    problem_of(await kept.send("DELETE", f"{count}/"), 409)
    await kept.good("DELETE", f"saved/{saved['saved_result_uuid']}/")
    problem_of(await kept.send("GET", f"saved/{saved['saved_result_uuid']}/"), 404)
    await kept.good("DELETE", f"{count}/")


async def test_a_team_sees_what_is_shared_with_it_and_no_more(kept: Kept, count: UUID) -> None:
    office, mate = kept.office, await kept.colleague()
    outsider = await office.tenant.person(UserRole.MEMBER)
    saved = await save(kept, count, title="shared", share_w_team=True)
    path = f"saved/{saved['saved_result_uuid']}/"
    assert saved["team_uuid"] == str(office.team_uuid)
    assert (await kept.good("GET", path, person=mate))["result"]["result_uuid"] == str(count)
    assert (await kept.good("GET", f"{count}/", person=mate))["preview"] == [[3]]
    assert (await kept.send("GET", f"{count}/csv/", person=mate)).status_code == 200
    for person in (outsider, (await kept.desk.office()).member):
        for call in (path, f"{count}/", f"{count}/csv/"):
            problem_of(await kept.send("GET", call, person=person), 404)
    for change in (("PUT", path, {"title": "mine"}), ("DELETE", path), ("DELETE", f"{count}/")):
        problem_of(await kept.send(*change, person=mate), 404)
    await kept.good("PUT", path, {"share_w_team": False})
    for call in (path, f"{count}/"):
        problem_of(await kept.send("GET", call, person=mate), 404)


async def test_a_team_without_the_grant_sees_nothing_that_is_shared_with_it(kept: Kept, count: UUID) -> None:
    office, mate = kept.office, await kept.office.tenant.person(UserRole.MEMBER)
    team = await kept.team(mate, office.member)
    saved = await save(kept, count, share_w_team=True, team_uuid=str(team))
    path = f"saved/{saved['saved_result_uuid']}/"
    problem_of(await kept.send("GET", path, person=mate), 404)
    search = {"team_uuid": str(team)}
    assert (await kept.good("POST", "saved/search/", search, person=mate))["data"] == []
    grant = GrantTeams(conn_uuid=kept.shop.conn_uuid, team_uuids=(team,))
    await office.admin.call(connection.GRANT_TEAMS, grant)
    assert (await kept.good("GET", path, person=mate))["result"]["preview"] == [[3]]
    found = (await kept.good("POST", "saved/search/", search, person=mate))["data"]
    assert [one["saved_result_uuid"] for one in found] == [saved["saved_result_uuid"]]
    await office.admin.call(connection.REVOKE_GRANT, ByGrant(conn_uuid=kept.shop.conn_uuid, team_uuid=team))
    problem_of(await kept.send("GET", path, person=mate), 404)
    assert (await kept.good("GET", path))["result"]["preview"] == [[3]], "who asked has a grant of their own"


async def test_nobody_shares_with_a_team_they_are_not_in(kept: Kept, count: UUID) -> None:
    office = kept.office
    foreign, elsewhere = await kept.team(), (await kept.desk.office()).team_uuid
    for team in (foreign, elsewhere, uuid4()):
        body = {"result_uuid": str(count), "share_w_team": True, "team_uuid": str(team)}
        problem_of(await kept.send("POST", "save/", body), 404)
    by_admin = {"result_uuid": str(count), "share_w_team": True, "team_uuid": str(foreign)}
    assert (await kept.good("POST", "save/", by_admin, person=office.admin))["team_uuid"] == str(foreign)
    problem_of(await kept.send("POST", "save/", by_admin | {"team_uuid": str(elsewhere)}, person=office.admin), 404)
    mine = await save(kept, count)
    path = f"saved/{mine['saved_result_uuid']}/"
    problem_of(await kept.send("PUT", path, {"team_uuid": str(foreign)}), 404)
    problem_of(await kept.send("PUT", path, {"team_uuid": str(office.team_uuid)}), 422)
    problem_of(await kept.send("PUT", path, {"share_w_team": True, "team_uuid": str(foreign)}), 404)
    unshared = {"share_w_team": False, "team_uuid": str(office.team_uuid)}
    for method, where, body in (("POST", "save/", {"result_uuid": str(count)} | unshared), ("PUT", path, unshared)):
        refused = problem_of(await kept.send(method, where, body), 422)
        assert [error["field"] for error in refused["errors"]] == ["team_uuid"]
    assert (await kept.good("PUT", path, {"share_w_team": True}))["team_uuid"] == str(office.team_uuid)
    problem_of(await kept.send("POST", "save/", {"result_uuid": str(uuid4())}), 404)


async def test_saved_results_are_searched_sorted_and_paged(kept: Kept) -> None:
    office = await kept.desk.office()
    shop = await office.add(kept.desk.fields(await kept.desk.customer()))
    other = Kept(kept.desk, office, kept.customer, shop, kept.url, kept.files)
    count, listed = await other.ask("How many customers are there?"), await other.ask("Show all customers")
    titles = {"Übersicht 100%": count, "alpha": listed}
    for title, result in titles.items():
        await save(other, result, title=title, description=f"about {title}")

    async def found(**fields: Any) -> list[str]:
        page = await other.good("POST", "saved/search/", fields)
        return [one["title"] for one in page["data"]]

    assert await found() == ["alpha", "Übersicht 100%"]
    assert await found(descending=True) == ["Übersicht 100%", "alpha"]
    assert await found(sort="result_type") == ["alpha", "Übersicht 100%"]
    assert await found(text="ÜBER") == ["Übersicht 100%"]
    assert await found(text="0%") == ["Übersicht 100%"]
    assert await found(text="_l") == []
    assert await found(text="about") == ["alpha", "Übersicht 100%"]
    assert await found(result_type="metric") == ["Übersicht 100%"]
    assert await found(team_uuid=str(office.team_uuid)) == []
    problem_of(await other.send("POST", "saved/search/", {"team_uuid": str(uuid4())}), 404)
    first = await other.good("POST", "saved/search/", {"limit": 1})
    second = await other.good("POST", "saved/search/", {"limit": 1, "cursor": first["next_cursor"]})
    assert [one["title"] for one in (*first["data"], *second["data"])] == ["alpha", "Übersicht 100%"]
    assert second["next_cursor"] is None
    problem_of(await other.send("POST", "saved/search/", {"cursor": "nonsense"}), 422)
    problem_of(await other.send("POST", "saved/search/", {"include_all_client_info": True}), 403)
    wide = await other.good("POST", "saved/search/", {"include_all_client_info": True}, person=office.admin)
    assert len(wide["data"]) == 2
    assert (await other.good("POST", "saved/search/", {}, person=office.admin))["data"] == []
