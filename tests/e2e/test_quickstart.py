"""The main job: from an API key to answers about a database, call by call as a REST client makes them."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from basejump_devstack.model_server import QUICKSTART
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.tls_front import TlsFront
from rest import Api, Tenant, demo_database
from stacks import playing_scripts, running_stack

EXAMPLE = Path(__file__).parents[2] / "examples" / "quickstart.py"
LIBRARY = Path(__file__).parents[1] / "scripts" / "library.toml"
BUILT_IN, LANGUAGE_MODEL = "built-in planner", "openai:scripted"
DECLINED = {
    BUILT_IN: "can't answer that without a language model",
    LANGUAGE_MODEL: "The database can't tell",
}


@pytest.fixture(scope="module", params=[BUILT_IN, LANGUAGE_MODEL])
def planner(request: pytest.FixtureRequest) -> str:
    """Who answers: every test here holds for both."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
async def stack(
    planner: str, stack: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """The stack of all end-to-end tests, or one of its own whose language model plays the script of the quickstart."""
    if planner == BUILT_IN:
        yield stack
        return
    folder = tmp_path_factory.mktemp("scripted") / ".basejump"
    async with playing_scripts(LIBRARY, QUICKSTART) as address:
        model = {"llm": LANGUAGE_MODEL, "openai_base_url": f"{address}/v1", "openai_api_key": "any"}
        async with running_stack(folder, **model) as values:
            yield values


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> Iterator[Api]:
    with httpx.Client(base_url=stack["BASE_URL"], timeout=130) as client:
        yield Api(client)


@pytest.fixture(scope="module")
def tenant(api: Api, stack: dict[str, str]) -> Tenant:
    return Tenant.enter(api, stack["API_KEY"]).with_demo(stack)


def walk(stack: dict[str, str], prompt: str) -> dict[str, Any]:
    """Every call with the headers and bodies of the documented script, the question asked at once."""
    with httpx.Client(base_url=stack["BASE_URL"], timeout=130) as client:
        api = Api(client)
        secret = api.with_secret(stack["API_KEY"])
        user = secret.post("/account/user/", params={"username": "new_user", "role": "ADMIN"})["user_uuid"]
        refresh = secret.post("/auth/token/", params={"user_uuid": user})["refresh_token"]
        access = json_bearer(api, refresh).post("/auth/access_token/", params={"user_uuid": user})["access_token"]
        caller = json_bearer(api, access)
        team = caller.post("/account/team/", params={"team_name": "a team"})["team_uuid"]
        database = caller.post("/connection/database/", json=demo_database(stack))
        caller.post(f"/connection/{database['conn_uuid']}/team/", json={"team_uuids": [team]})
        caller.post(f"/account/user/{user}/team/{team}/")
        chat = caller.post(f"/chat/team/{team}/")["chat_uuid"]
        found: dict[str, Any] = caller.post(f"/chat/{chat}/message/", json={"prompt": prompt})
        return found


def json_bearer(api: Api, token: str) -> Api:
    """As the documented script does, the content type is JSON even where there is no body."""
    return Api(api.client, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})


@pytest.mark.parametrize(
    "prompt",
    ["How many employees are there?", "What is the number of employees?", "Count the employees"],
)
def test_the_documented_script_ends_with_107_and_can_be_run_again(stack: dict[str, str], prompt: str) -> None:
    message = walk(stack, prompt)
    assert message["msg_type"] == "response", message["content"]
    assert "107" in message["content"]


def test_the_five_best_paid_are_named_in_order(tenant: Tenant) -> None:
    message = tenant.ask("Which 5 employees earn the most?")
    names = ["Obi", "Bergstrom", "Almeida", "Fontaine", "Fairbairn"]
    assert message["msg_type"] == "response", message["content"]
    assert re.search(".*".join(names), message["content"], re.DOTALL)


async def test_average_salaries_are_those_of_the_database(tenant: Tenant, stack: dict[str, str]) -> None:
    message = await asyncio.to_thread(tenant.ask, "What is the average salary by department?")
    assert message["msg_type"] == "response", message["content"]
    demo = await connect_demo(stack)
    answered = await demo.fetch(message["sql_query"])
    expected = await demo.fetch(
        """select department_name, avg(salary) from hr_demo_db.employees
           join hr_demo_db.departments using (department_id) group by department_name"""
    )
    await demo.close()
    assert len(expected) == 11
    assert {tuple(row) for row in answered} == {tuple(row) for row in expected}
    kept = await asyncio.to_thread(tenant.user.call, "GET", f"/result/{message['result_uuid']}/")
    preview = json.loads(kept.content, parse_float=Decimal, parse_int=Decimal)["preview"]
    assert {tuple(row) for row in preview} == {tuple(row) for row in expected}, "a digit was lost on the way"


def test_every_employee_has_a_number_of_dependents_zero_included(tenant: Tenant) -> None:
    message = tenant.ask("How many dependents does each employee have?")
    assert message["msg_type"] == "response", message["content"]
    assert "107 rows" in message["content"]


def test_what_it_cannot_answer_it_says(tenant: Tenant, planner: str) -> None:
    message = tenant.ask("Will the company make a profit next year?")
    assert DECLINED[planner] in message["content"]


async def connect_demo(stack: dict[str, str]) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        host=stack["DEMO_DB_HOST"],
        port=int(stack["DEMO_DB_PORT"]),
        user=stack["HR_DEMO_DB_USER"],
        password=stack["HR_DEMO_DB_PASSWORD"],
        database=stack["HR_DEMO_DB_NAME"],
        ssl="require",
    )


@pytest.fixture(scope="module")
async def library(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Any]]:
    """Another database, of another server: where it is, as the API takes it."""
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute("create database library")
    await admin.execute("create role library_reader login password 'reads'")
    await admin.close()
    owner = await asyncpg.connect(postgres.dsn(database="library"))
    await owner.execute(
        """
        create schema lending;
        create table lending.authors (author_id int primary key, name text not null);
        create table lending.books (
          book_id int primary key, title text not null, pages int not null,
          author_id int not null references lending.authors
        );
        insert into lending.authors values (1, 'Ada'), (2, 'Bo'), (3, 'Cy');
        insert into lending.books select n, 'Book ' || n, n * 10, 1 + n % 2 from generate_series(1, 23) n;
        grant usage on schema lending to library_reader;
        grant select on all tables in schema lending to library_reader;
        """
    )
    await owner.close()
    async with TlsFront(tmp_path_factory.mktemp("tls"), (postgres.host, postgres.port)) as front:
        yield {
            "database_type": "postgres",
            "host": front.host,
            "port": front.port,
            "database_name": "library",
            "username": "library_reader",
            "password": "reads",
            "ssl_mode": "verify-full",
            "ssl_root_cert": front.authority.read_text(),
            "schemas": [{"schema_nm": "lending"}],
        }


async def test_another_database_with_tables_of_its_own_is_answered_about(
    api: Api, stack: dict[str, str], library: dict[str, Any]
) -> None:
    def ask() -> dict[str, Any]:
        tenant = Tenant.enter(api, stack["API_KEY"])
        created = tenant.user.post("/connection/database/", json=library)
        teams = {"team_uuids": [tenant.objects["team_uuid"]]}
        tenant.user.post(f"/connection/{created['conn_uuid']}/team/", json=teams)
        return tenant.ask("How many books are there?")

    message = await asyncio.to_thread(ask)  # the TLS front lives in this thread's loop
    assert message["msg_type"] == "response", message["content"]
    assert "23" in message["content"]


async def test_the_example_prints_the_whole_conversation(stack: dict[str, str], planner: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), env={**os.environ, **stack}, stdout=asyncio.subprocess.PIPE
    )
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0
    assert "There are 107 employees" in printed
    assert printed.count("basejump  ") == 6
    assert DECLINED[planner] in printed


async def test_the_example_says_what_was_refused(stack: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        env={**os.environ, **stack, "API_KEY": "bj_dev_wrong"},
        stderr=asyncio.subprocess.PIPE,
    )
    complaint = (await process.communicate())[1].decode()
    assert process.returncode == 1
    assert "POST /account/user/ answered 401" in complaint
