"""Text values of questions and statements before real databases: found, missing with what is like them, or unknown."""

import time
import tracemalloc
from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    CreatedDatabase,
    DatabaseTablesRequest,
    DatabaseType,
    FindValues,
    FoundValue,
    Likeness,
    Missing,
    MissingValue,
    Proof,
    Prove,
    UpdateColumn,
    UpdateColumns,
)
from basejump_common.errors import NotProved, ValuesMissing
from basejump_connection_indexer.adapters.values import MOST_LIKE, SECONDS
from connection_house import SHOP, Office
from customers import MARIADB_SHOP, Customers

# Whoever reads `pin` gets an error: two rows where there may be one.
GUARDED = "create view {at}guarded as select city, (select full_name from {at}customer) as pin from {at}customer"
CITIES = ("Bergen", "Paris", "Pari", "Companies", "Sao Paulo", "Zürich", "Human Resources", "100%", "a_b")
SCRIPTS = {
    DatabaseType.POSTGRES: SHOP
    + f"""
create table shop.place (id serial primary key, name text, code varchar(20), closed text);
insert into shop.place (name) values {", ".join(f"('{name}')" for name in CITIES)};
create table shop.many as select md5(n::text) as name from generate_series(1, 200000) n;
insert into shop.many values ('Marketing');
create table shop.alike as select 'market ' || translate(n::text, '0123456789', 'abcdefghij') as name
    from generate_series(1, {2 * MOST_LIKE}) n;
create view shop.slow as select city from shop.customer, pg_sleep({SECONDS + 1});
{GUARDED.format(at="shop.")};
""",
    DatabaseType.MARIADB: MARIADB_SHOP
    + f"""
create table place (id integer auto_increment primary key, name varchar(200), code varchar(20), closed text)
    collate utf8mb4_bin;
insert into place (name) values {", ".join(f"('{name}')" for name in CITIES)};
create table many (name varchar(40));
insert into many select md5(seq) from seq_1_to_200000;
insert into many values ('Marketing');
create table alike (name varchar(200));
insert into alike select concat('market ', replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(seq, '0', 'a'), '1', 'b'), '2', 'c'), '3', 'd'), '4', 'e'), '5', 'f'), '6', 'g'), '7', 'h'), '8', 'i'),
    '9', 'j')) from seq_1_to_{2 * MOST_LIKE};
create algorithm = temptable view slow as select city from customer where sleep({(SECONDS + 1) / 3}) = 0;
{GUARDED.format(at="")};
""",
}


@pytest.fixture(scope="module")
async def shop(customers: Customers, office: Office) -> CreatedDatabase:
    customer = await customers.customer(SCRIPTS[customers.engine])
    if customers.engine is DatabaseType.MARIADB:  # or it explains no statement over a view
        await customer.execute(f"grant show view on {customer.name}.* to {customer.reader}")
    return await office.add(customers.fields(customer))


async def proved(office: Office, shop: CreatedDatabase, sql: str) -> Proof:
    found = await office.ask(
        connection.PROVE, Prove(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, sql=f"select * from {sql}")
    )
    assert found.proof is not None, found.refusal
    return found.proof


async def missing(office: Office, shop: CreatedDatabase, sql: str) -> MissingValue:
    (value,) = (await proved(office, shop, sql)).missing_values
    return value


async def table_uuids(office: Office, shop: CreatedDatabase) -> dict[str, UUID]:
    page = await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))
    return {table.table_name: table.tbl_uuid for table in page.data}


async def found(
    office: Office, shop: CreatedDatabase, table: str, phrases: Sequence[str]
) -> tuple[tuple[FoundValue, ...], bool]:
    request = FindValues(
        conn_uuid=shop.conn_uuid,
        team_uuid=office.team_uuid,
        tbl_uuids=((await table_uuids(office, shop))[table],),
        phrases=tuple(phrases),
        closest=True,
    )
    values = await office.ask(connection.FIND_VALUES, request)
    return values.data, values.complete


@pytest.mark.parametrize(
    ("condition", "closest", "same"),
    [
        ("name = 'BERGEN'", ("Bergen",), "Bergen"),
        ("name = 'company'", ("Companies",), "Companies"),
        ("name = 'São Paulo'", ("Sao Paulo",), "Sao Paulo"),
        ("name = 'zurich'", ("Zürich",), "Zürich"),
        ("name = 'Pariz'", ("Paris", "Pari"), None),
        ("name = 'Humen Resources'", ("Human Resources",), None),
        ("name in ('Bergen', 'Bregen')", ("Bergen",), None),
        ("name like '%Humn%'", (), None),
        ("name like '%human resource%'", ("Human Resources",), "Human Resources"),
        ("name = 'Nowhere'", (), None),
        ("name = '100 %'", ("100%",), "100%"),
        ("not name = 'Bregen' and name = 'Bergen'", ("Bergen",), None),
    ],
)
async def test_a_missing_value_comes_with_what_is_like_it(
    office: Office, shop: CreatedDatabase, condition: str, closest: tuple[str, ...], same: str | None
) -> None:
    value = await missing(office, shop, f"place where {condition}")
    assert (value.table_name, value.column_name) == ("place", "name")
    assert (value.closest, value.same, value.all_seen) == (closest, same, True)
    assert value.negated == condition.startswith("not")


@pytest.mark.parametrize(
    "condition", ["name = 'Paris'", "name like 'Par%'", "name like '100!%' escape '!'", "name > 'z'"]
)
async def test_what_is_there_is_not_missing(office: Office, shop: CreatedDatabase, condition: str) -> None:
    proof = await proved(office, shop, f"place where {condition}")
    assert proof.fully_proved
    assert proof.missing_values == ()


async def test_a_statement_with_an_unknown_value_does_not_run_until_the_caller_knows_it(
    office: Office, shop: CreatedDatabase
) -> None:
    sql = "select id from place where name in ('Pariz', 'Bergen') and name <> 'Utopia'"
    with pytest.raises(ValuesMissing, match=r"no row has 'Pariz' in place\.name") as raised:
        await office.run(shop, sql, known_missing=())
    (told,) = msgspec.convert(raised.value.details, Missing).values
    assert told.closest == ("Paris", "Pari")
    ran = await office.run(shop, sql, known_missing=("Pariz",))
    assert ran.row_count == 1
    assert [(value.value, value.negated, value.closest) for value in ran.proof.missing_values] == [
        ("Pariz", False, ()),
        ("Utopia", True, ()),
    ]
    assert not ran.proof.fully_proved
    assert (await office.run(shop, sql)).row_count == 1, "who doesn't ask for it, isn't told"


async def test_what_is_not_proved_is_refused_before_anything_is_looked_up(
    office: Office, shop: CreatedDatabase
) -> None:
    with pytest.raises(NotProved):
        await office.run(shop, "delete from place where name = 'x'", known_missing=())


async def test_phrases_find_what_is_like_them(office: Office, shop: CreatedDatabase) -> None:
    values, complete = await found(office, shop, "place", ["Pariz", "company", "Bergen", "resources", "Nowhere"])
    assert complete
    told = {(value.phrase, value.value, value.likeness) for value in values}
    assert told == {
        ("Pariz", "Paris", Likeness.NEAR),
        ("Pariz", "Pari", Likeness.NEAR),
        ("company", "Companies", Likeness.FORM),
        ("Bergen", "Bergen", Likeness.EQUAL),
        ("resources", "Human Resources", Likeness.NEAR),
    }


async def test_a_column_of_many_values_is_looked_through_in_time_and_little_memory(
    office: Office, shop: CreatedDatabase
) -> None:
    tracemalloc.start()
    began = time.perf_counter()
    value = await missing(office, shop, "many where name = 'Markting'")
    seconds, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (value.closest, value.all_seen) == (("Marketing",), True)
    assert seconds < 2 * SECONDS + 1
    assert peak < 20_000_000


async def test_more_values_than_are_looked_at_is_said(office: Office, shop: CreatedDatabase) -> None:
    value = await missing(office, shop, "alike where name = 'market'")
    assert not value.all_seen
    assert value.closest


async def test_a_slow_database_leaves_values_unknown_and_the_statement_runs(
    office: Office, shop: CreatedDatabase
) -> None:
    ran = await office.run(shop, "select city from slow where city = 'Atlantis'", known_missing=())
    assert ran.row_count == 0
    assert ran.database_seconds > SECONDS, "what the look-up took is among it"
    assert ran.proof.missing_values == ()
    assert "Not looked up: 'Atlantis' in slow.city; the database didn't tell in time." in ran.proof.filters[0].why


async def test_an_excluded_column_is_never_read(office: Office, shop: CreatedDatabase) -> None:
    guarded = "guarded where pin = 'Ann Lee' and city = 'Olso'"
    read = await proved(office, shop, guarded)
    assert all("didn't tell" in part.why for part in read.filters), "reading it fails"
    assert (await found(office, shop, "guarded", ["Olso"]))[1] is False
    uuids = await table_uuids(office, shop)
    columns = (UpdateColumn(column_name="pin", search_values=False),)
    await office.admin.call(connection.UPDATE_COLUMNS, UpdateColumns(tbl_uuid=uuids["guarded"], columns=columns))
    unread = await proved(office, shop, guarded)
    assert unread.filters[0].why.endswith("'Ann Lee' in guarded.pin; an administrator excluded this column.")
    (value,) = unread.missing_values
    assert (value.column_name, {city.lower() for city in value.closest}) == ("city", {"oslo"})
    values, complete = await found(office, shop, "guarded", ["Olso"])
    assert complete
    assert {(value.column_name, value.value.lower()) for value in values} == {("city", "oslo")}
