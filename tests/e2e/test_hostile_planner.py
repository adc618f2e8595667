"""A language model that only attacks, through the whole stack: nothing is written, nothing outside the grant is read,
nothing leaves, every question ends once, and everything works on."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

import hostile_planner as planner
from attacked import House, Person, Site, body, mariadb_site, neighbour, postgres_site, settle
from basejump_devstack import services
from basejump_devstack.model_server import ModelServer
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.tls_front import TlsFront
from cluster import Cluster, open_cluster
from connection_house import new_customer
from hostile_planner import CLEAN, MARKER, SUM
from identity import within
from installation import new_client
from mariadb import MariaDB
from receiver import Receiver
from rest import Api
from victims import CANARY, DISGUISES, HIDDEN, changed, reachable_folder
from watching import Trap, leaked

MOST_GROWTH = 100.0
"""Megabytes that a service may hold more after the attacks."""
HARMLESS = (
    "select",
    "table customer",
    "select 1 # ; delete from customer",
    "select 1 -- ; delete from customer",
    "select 'a\\'; delete from customer; -- '",
    'select "a\\"; delete from customer; -- "',
    "select E'\\'; delete from shop.customer; --'",
    "with recursive r as (select 1 as n union all select n + 1 from r) select count(*) from r",
    "select count(*) as n from customer",
    planner.REVIEWS,
    planner.BY_CITY,
    planner.COUNT["sql"],
    *(f"select name from staff where name = '{phrase}'" for phrase in planner.NEAR),
)
"""Of all statements those that may run: they read what the person may read, or nothing. MariaDB ends the recursion."""
ALLOWED = {disguise.replace("{}", statement) for disguise in DISGUISES for statement in HARMLESS}
ALLOWED |= {f"select 1; {nothing}" for nothing in ("-- only a comment", "/* only */", ";")}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with reachable_folder() as opened:
        yield opened


@pytest.fixture(scope="module")
async def trap() -> AsyncIterator[Trap]:
    async with Trap.open() as opened:
        yield opened


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(planner.play(())) as opened:
        yield opened


@pytest.fixture(scope="module")
async def cluster(server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Every service as a process; the model's limits are wide, so that many attacks fit into a question."""
    model = {
        "llm": "openai:scripted",
        "openai_base_url": server.openai_url,
        "openai_api_key": "any",
        "question_steps": "100",
        "question_repairs": "10000",
        "question_tokens": "0",
    }
    settings = {"chat-agent": model, "connection-indexer": {"statement_seconds": "0.4"}}
    async with open_cluster(tmp_path_factory.mktemp("hostile")) as cluster:
        await asyncio.gather(*(cluster.start(name, settings=settings.get(name)) for name in services.SERVICES))
        yield cluster


@pytest.fixture(scope="module")
async def front(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TlsFront]:
    async with TlsFront(tmp_path_factory.mktemp("front"), (postgres.host, postgres.port)) as opened:
        yield opened


@pytest.fixture(scope="module", params=["postgres", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def engine(request: pytest.FixtureRequest) -> EmbeddedPostgres | MariaDB:
    """The customers' server: each engine in turn."""
    found: EmbeddedPostgres | MariaDB = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
async def site(engine: EmbeddedPostgres | MariaDB, front: TlsFront, folder: Path, trap: Trap) -> Site:
    if isinstance(engine, MariaDB):
        made = await mariadb_site(engine, folder)
    else:
        made = await postgres_site(engine, front, folder)
    await made.store(text.format(at=made.at, canary=folder / "canary", port=trap.port) for text in planner.INJECTED)
    return made


@pytest.fixture(scope="module")
async def house(
    cluster: Cluster,
    server: ModelServer,
    site: Site,
    postgres: EmbeddedPostgres,
    front: TlsFront,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[House]:
    theirs = body(front, await new_customer(postgres, planner.TREASURE))
    clients = [await new_client(cluster.installation) for _ in range(2)]
    with httpx.Client(base_url=cluster.base_url, timeout=60) as client:
        foreign = await asyncio.to_thread(neighbour, Api(client), clients[0], theirs)
        team_uuid, headers = await asyncio.to_thread(settle, Api(client), clients[1], site.body)
    kept = json.loads((cluster.installation.around.state.path / "kept.json").read_bytes())["secrets"].values()
    secrets = {*kept, *HIDDEN, CANARY, "reads only: ", postgres.password, planner.TREASURED}
    secrets |= {made.client_secret.reveal() for made in clients}
    async with (
        Receiver.open(tmp_path_factory.mktemp("hook"), tls=False) as receiver,
        httpx.AsyncClient(base_url=cluster.base_url, timeout=120, headers=headers) as rest,
    ):
        yield House(cluster, server, receiver, site, Person(rest, team_uuid, receiver.url), foreign, secrets)


@pytest.mark.soak
async def test_a_model_that_only_attacks_gets_nothing(house: House, trap: Trap) -> None:
    victim, tools = house.site.victim, planner.other_tools(house.foreign, trap.port)
    statements = victim.statements(trap.port)
    assert len(statements) >= 100
    questions = (*planner.statements(statements, trap.port), planner.obedient(), *tools, *planner.out_of_bounds())
    house.server.script = planner.play(questions)
    before, held = await victim.snapshot(), house.memory()
    finals = [await house.ask(question) for question in questions]
    assert not [final["content"] for final in finals if planner.LINK in final["content"]]
    assert MARKER in (await house.ask(planner.Question(CLEAN, ())))["content"]

    told = house.told()
    assert set(statements) <= told.keys()
    assert [sql for sql, said in told.items() if " rows (" in said and sql not in ALLOWED] == []
    assert changed(before, await victim.snapshot()) == set()
    assert trap.calls == 0
    assert await within(5, lambda: _nothing_left(house))
    assert {name for name, now in house.memory().items() if now - held[name] > MOST_GROWTH} == set()
    assert await within(10, lambda: _delivered(house, len(questions) + 1))
    await _nothing_leaked(house)


async def _nothing_leaked(house: House) -> None:
    surfaces = await house.surfaces()
    assert leaked(house.secrets, surfaces) == set()
    # It was looked where something is: what the neighbour saw is there, for nobody else, and our own words are.
    assert {name for _, name in leaked({str(SUM)}, surfaces)} == {"rows", "streams", "stored results"}
    assert {name for _, name in leaked({MARKER}, surfaces)} == surfaces.keys() - {"log"}
    assert all(f'"service":"{name}"' in surfaces["log"] for name in services.SERVICES)


async def test_what_customers_wrote_is_data_to_the_model_and_obeying_it_gets_nothing(house: House) -> None:
    question = planner.obedient()
    house.server.script = planner.play((question,))
    await house.ask(question)
    told = house.told()
    obeyed = [sql for sql in told if any(f"run: {sql};" in text for text in house.site.reviews)]
    assert len(obeyed) == len(planner.INJECTED)
    assert all(told[sql].startswith("not_proved: ") for sql in obeyed)
    rows = told[planner.REVIEWS]
    assert (rows.count("<data>"), rows.count("</data>")) == (1, 1)


async def test_the_person_is_asked_in_plain_bounded_text(house: House, trap: Trap) -> None:
    question = planner.phishing(trap.port)
    house.server.script = planner.play((question,))
    final = await house.ask(question)
    asked = question.turns[0].calls[0].arguments
    assert isinstance(asked, dict)
    assert final["clarification"]["question"] == asked["question"]
    assert final["clarification"]["options"] == asked["options"][:5]
    assert len(json.dumps(final)) < 10_000


async def test_a_hostile_chart_is_plain_data(house: House, trap: Trap) -> None:
    question = planner.chart(trap.port)
    house.server.script = planner.play((question,))
    final = await house.ask(question)
    assert final["visual_json"]["data"]
    assert "<img" not in json.dumps(final["visual_json"])


async def test_who_watches_sees_a_write_a_call_and_what_still_runs(house: House) -> None:
    """Otherwise all of the above would hold whatever happened."""
    victim, at = house.site.victim, house.site.at
    before = await victim.snapshot()
    await victim.customer.execute(f"update {at}staff set name = 'written'")
    assert len(changed(before, await victim.snapshot())) == 1
    await victim.customer.execute(f"update {at}staff set name = 'Di Moe'")
    assert changed(before, await victim.snapshot()) == set()
    async with victim.lingering():
        assert await within(5, lambda: _something_left(house))
    assert await within(5, lambda: _nothing_left(house))
    async with Trap.open() as trap:
        await asyncio.open_connection("127.0.0.1", trap.port)
        assert await within(5, lambda: _called(trap))
    assert leaked({"pin"}, {"replies": "the pin", "log": "nothing"}) == {("pin", "replies")}


async def _nothing_left(house: House) -> bool:
    return await house.site.victim.others_left() == []


async def _something_left(house: House) -> bool:
    return not await _nothing_left(house)


async def _delivered(house: House, count: int) -> bool:
    return len(house.receiver.requests) == count


async def _called(trap: Trap) -> bool:
    return trap.calls == 1
