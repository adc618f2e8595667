"""Two results side by side: by their queries and tables, and by the rows they gave."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway_backend import problem_of
from installation import Installation
from keeping import Kept, keeping

TABLES = """
create schema shop;
create table shop.customer (id integer primary key, full_name text not null, city text);
create table shop.person (id integer primary key, full_name text not null, city text);
create table shop.purchase (id integer primary key, customer_id integer references shop.customer, total numeric(10, 2));
insert into shop.customer values (1, 'Ann', 'Oslo'), (2, 'Bo', 'Oslo'), (3, 'Cy', 'Oslo');
insert into shop.person select * from shop.customer;
insert into shop.purchase select n, 1 + n % 3, n from generate_series(1, 9) n;
"""


@pytest.fixture(scope="module")
async def kept(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with keeping(installation, tmp_path_factory.mktemp("comparing"), TABLES) as opened:
        yield opened


async def compared(kept: Kept, source: UUID, target: UUID) -> dict[str, Any]:
    return await kept.good("POST", "compare/", {"source_result_uuid": str(source), "target_result_uuid": str(target)})


async def test_one_question_asked_twice_gives_identical_results(kept: Kept) -> None:
    one, other = [await kept.ask("How many customers are there?") for _ in range(2)]
    found = await compared(kept, one, other)
    assert (found["comparison"], found["same_rows"], found["differences"]) == ("identical", True, [])
    assert found["why"] == "The queries are the same. They gave the same rows."
    await kept.customer.execute("insert into shop.customer values (4, 'Di', 'Oslo')")
    await kept.good("POST", f"{other}/refresh/")
    found = await compared(kept, one, other)
    assert (found["comparison"], found["same_rows"]) == ("identical", False)
    await kept.customer.execute("delete from shop.customer where id = 4")


async def test_other_structure_with_the_same_tables_and_rows_is_equivalent(kept: Kept) -> None:
    everybody = await kept.ask("How many customers are there?")
    filtered = await kept.ask("How many customers live in Oslo?")
    found = await compared(kept, everybody, filtered)
    assert (found["comparison"], found["same_rows"]) == ("equivalent", True)
    assert "gave the same rows; they differ in filters" in found["why"]
    assert [part["part"] for part in found["differences"]] == ["filters"]
    assert found["differences"][0]["only_source"] == []


async def test_shared_tables_and_other_rows_are_similar(kept: Kept) -> None:
    found = await compared(kept, await kept.ask("How many customers are there?"), await kept.ask("Show all customers"))
    assert (found["comparison"], found["same_rows"]) == ("similar", False)
    assert found["why"].startswith("Both read ")


async def test_no_table_in_both_is_different_whatever_the_rows(kept: Kept) -> None:
    people = await kept.ask("How many people are there?")
    customers = await kept.ask("How many customers are there?")
    found = await compared(kept, customers, people)
    assert (found["comparison"], found["same_rows"]) == ("different", True)
    assert found["why"].startswith("No table is in both")


async def test_another_database_with_the_same_tables_is_different(kept: Kept) -> None:
    office = kept.office
    here, team = await kept.ask("How many customers are there?"), await kept.team(office.member)
    others = replace(kept, office=replace(office, team_uuid=team))
    await others.office.add(kept.desk.fields(await kept.desk.customer(TABLES)))
    there = await others.ask("How many customers are there?")
    found = await compared(kept, here, there)
    assert (found["comparison"], found["same_rows"]) == ("different", True)
    assert found["why"] == "They ask different databases."


async def test_who_may_not_read_one_of_them_learns_nothing(kept: Kept) -> None:
    here, colleague = await kept.ask("Show all customers"), await kept.colleague()
    for pair in ((here, uuid4()), (uuid4(), here)):
        body = {"source_result_uuid": str(pair[0]), "target_result_uuid": str(pair[1])}
        problem_of(await kept.send("POST", "compare/", body), 404)
    body = {"source_result_uuid": str(here), "target_result_uuid": str(here)}
    problem_of(await kept.send("POST", "compare/", body, person=colleague), 404)
