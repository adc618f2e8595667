"""Several logins of one database: each sees its own, and one that knows schemas by other names is asked by those."""

import asyncio
from uuid import uuid4

import pytest

from basejump_common.contracts import account, connection
from basejump_common.contracts.account import CreateTeam, Membership
from basejump_common.contracts.connection import (
    ByConnection,
    CheckGrants,
    CreatedDatabase,
    DatabaseConnectionsRequest,
    DatabaseTablesRequest,
    FindValues,
    GrantTeams,
    Prove,
    RanUnder,
    Retrieve,
    Schema,
    SchemaMap,
    Table,
    UpdateConnection,
    UpdateDatabase,
)
from basejump_common.errors import (
    BasejumpError,
    Conflict,
    InvalidInput,
    LoginRefused,
    NotFound,
    NotProved,
    SchemaMissing,
    ValuesMissing,
)
from basejump_common.security.secret import Secret
from connection_house import Desk, Office
from customers import Customers
from identity import within
from regions import CITIES, PEOPLE, Regions, both_regions, one_more, regional


@pytest.fixture(scope="module")
async def regions(customers: Customers) -> Regions:
    return await regional(customers)


@pytest.fixture
async def logins(office: Office, regions: Regions) -> dict[str, CreatedDatabase]:
    """By region; the office's team may ask over both."""
    found = await both_regions(office, regions)
    for created in found.values():
        await office.grant(created.conn_uuid)
    return found


async def tables(office: Office, created: CreatedDatabase) -> dict[str, Table]:
    page = await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=created.db_uuid))
    return {f"{table.schema_name}.{table.table_name}": table for table in page.data}


async def names(office: Office, created: CreatedDatabase, sql: str) -> list[str]:
    return sorted(row[0] for row in (await office.run(created, sql)).preview)


async def test_one_index_of_a_template_answers_each_login_from_its_own_schema(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    logical = regions.logical
    assert sorted(await tables(office, logins["eu"])) == [f"{logical}.employee", f"{logical}.office"]
    joined = f"""
        select e.full_name from {logical}.employee e join {logical}.office o on e.office_id = o.id
        where o.city = '{{city}}'
    """
    for region, created in logins.items():
        for sql in (f"select full_name from {logical}.employee", "select full_name from employee"):
            assert await names(office, created, sql) == list(PEOPLE[region])
        ran = await office.run(created, joined.format(city=CITIES[region]))
        assert (ran.row_count, ran.proof.fully_proved) == (len(PEOPLE[region]), True)
        assert regions.schema(region) in ran.proof.sql, "the proof shows what ran"
        assert logical not in ran.proof.sql
        assert {part.name for part in ran.proof.tables} == {
            f"{regions.schema(region)}.employee",
            f"{regions.schema(region)}.office",
        }


async def test_another_regions_schema_is_never_read_even_by_a_login_that_may(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    schema = regions.schema("us")
    usage = f"grant usage on schema {schema} to {regions.login('eu')};" if regions.customers.at else ""
    await regions.customer.execute(f"{usage} grant select on {schema}.employee to {regions.login('eu')}")
    await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=logins["eu"].db_uuid))
    await office.indexed(logins["eu"].db_uuid)
    refused = Prove(
        conn_uuid=logins["eu"].conn_uuid,
        team_uuid=office.team_uuid,
        sql=f"select full_name from {schema}.employee",
    )
    assert (await office.ask(connection.PROVE, refused)).refusal is not None
    with pytest.raises(NotProved):
        await office.run(logins["eu"], refused.sql)
    assert await names(office, logins["eu"], "select full_name from employee") == list(PEOPLE["eu"])


async def test_a_refusal_speaks_of_schemas_as_the_index_does(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    for sql in (f"select name from {regions.logical}.employe", f"select nme from {regions.logical}.employee"):
        with pytest.raises(NotProved) as refused:
            await office.run(logins["us"], sql)
        assert regions.schema("us") not in f"{refused.value.message} {refused.value.details}"


async def test_values_are_looked_for_in_each_logins_own_schema(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    office_table = (await tables(office, logins["eu"]))[f"{regions.logical}.office"]
    for region, created in logins.items():
        find = FindValues(
            conn_uuid=created.conn_uuid,
            team_uuid=office.team_uuid,
            tbl_uuids=(office_table.tbl_uuid,),
            phrases=tuple(CITIES.values()),
        )
        found = (await office.ask(connection.FIND_VALUES, find)).data
        assert [(one.value, one.schema_name) for one in found] == [(CITIES[region], regions.logical)]
    sql = f"select id from office where city = '{CITIES['us']}'"
    with pytest.raises(ValuesMissing) as missing:
        await office.run(logins["eu"], sql, known_missing=())
    assert missing.value.details["values"][0]["schema_name"] == regions.logical
    assert (await office.run(logins["us"], sql, known_missing=())).row_count == 1


async def test_teams_of_two_regions_ask_the_same_and_get_their_own(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    for region, created in logins.items():
        team = (await office.admin.call(account.CREATE_TEAM, CreateTeam(team_name=region))).team_uuid
        await office.admin.call(account.ADD_MEMBER, Membership(user_uuid=office.member.user_uuid, team_uuid=team))
        grant = GrantTeams(conn_uuid=created.conn_uuid, team_uuids=(team,))
        await office.admin.call(connection.GRANT_TEAMS, grant)
        asked = Retrieve(team_uuid=team, question="employees by office")
        found = await office.ask(connection.RETRIEVE, asked)
        assert found.conn_uuid == created.conn_uuid
        assert {table.schema_name for table in found.tables} == {regions.logical}


async def test_a_schema_map_serves_a_login_whose_schema_has_another_name(office: Office, regions: Regions) -> None:
    plain = (Schema(schema_nm=regions.schema("eu")),)
    eu = await office.add(regions.database("eu", schemas=plain))
    known_as = (SchemaMap(old_schema=regions.schema("eu"), new_schema=regions.schema("us")),)
    us = await one_more(office, eu, regions.connection(eu, "us", schemas=None, schema_maps=known_as))
    await office.grant(us.conn_uuid)
    sql = f"select full_name from {regions.schema('eu')}.employee"
    assert await names(office, eu, sql) == list(PEOPLE["eu"])
    assert await names(office, us, sql) == list(PEOPLE["us"])
    assert sorted(await tables(office, eu)) == [f"{regions.schema('eu')}.{name}" for name in ("employee", "office")]


async def test_what_a_login_says_of_schemas_is_checked_field_by_field(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    created = logins["eu"]
    region = {"region": "_us"}
    wrong: list[tuple[dict[str, object], type[BasejumpError], str]] = [
        ({"schemas": (Schema(schema_nm=regions.template),)}, InvalidInput, "schemas[0].jinja_values"),
        ({"schemas": (Schema(schema_nm="hr{{region", jinja_values=region),)}, InvalidInput, "schemas[0].schema_nm"),
        ({"schemas": (Schema(schema_nm="nowhere"),)}, InvalidInput, "schemas[0].schema_nm"),
        (
            {"schemas": (Schema(schema_nm=regions.template, jinja_values={"region": "_" * 64}),)},
            InvalidInput,
            "schemas[0].jinja_values.region",
        ),
        (
            {"schemas": (Schema(schema_nm=regions.template, jinja_values={"region": "-us"}),)},
            InvalidInput,
            "schemas[0].jinja_values.region",
        ),
        (
            {"schemas": None, "schema_maps": (SchemaMap(old_schema="nowhere", new_schema="hr_us"),)},
            InvalidInput,
            "schema_maps[0].old_schema",
        ),
        ({"schemas": (Schema(schema_nm=regions.template, jinja_values={"region": "_xx"}),)}, SchemaMissing, "schemas"),
        ({"schemas": regions.schemas("eu")}, SchemaMissing, "schemas"),
        ({"password": Secret("wrong")}, LoginRefused, "username"),
    ]
    for changes, kind, field in wrong:
        request = regions.connection(created, "us", **changes)
        with pytest.raises(kind) as refused:
            await office.admin.call(connection.CREATE_CONNECTION, request)
        assert [error.field for error in refused.value.errors] == [field]
    page = await office.admin.call(
        connection.LIST_CONNECTIONS, DatabaseConnectionsRequest(db_uuid=created.db_uuid, limit=50)
    )
    assert {one.conn_uuid for one in page.data} == {one.conn_uuid for one in logins.values()}


async def test_a_changed_login_is_tried_at_once_and_indexed_for_what_it_sees(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    us = logins["us"]
    for changes, kind in (
        ({"password": Secret("wrong")}, LoginRefused),
        ({"username": "nobody_here"}, LoginRefused),
        ({"schemas": (Schema(schema_nm=regions.template, jinja_values={"region": "_xx"}),)}, SchemaMissing),
        ({"schemas": (Schema(schema_nm="hr{{x", jinja_values={}),)}, InvalidInput),
    ):
        with pytest.raises(kind):
            await office.admin.call(connection.UPDATE_CONNECTION, UpdateConnection(conn_uuid=us.conn_uuid, **changes))
    described = await office.admin.call(
        connection.UPDATE_CONNECTION, UpdateConnection(conn_uuid=us.conn_uuid, data_source_desc="The Americas")
    )
    assert (described.data_source_desc, described.username) == ("The Americas", regions.login("us"))
    assert await names(office, us, "select full_name from employee") == list(PEOPLE["us"])
    moved = UpdateConnection(
        conn_uuid=us.conn_uuid,
        username=regions.login("eu"),
        password=regions.password,
        schemas=regions.schemas("eu"),
    )
    changed = await office.admin.call(connection.UPDATE_CONNECTION, moved)
    assert changed.schemas == regions.schemas("eu")
    with pytest.raises(Conflict):
        await office.admin.call(connection.UPDATE_CONNECTION, moved)
    await office.indexed(us.db_uuid)
    assert await names(office, us, "select full_name from employee") == list(PEOPLE["eu"])


async def test_a_deleted_connection_ends_what_runs_and_takes_what_only_it_saw_along(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    us = logins["us"]
    await regions.add_table("us", "bonus")
    await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=us.db_uuid))
    await office.indexed(us.db_uuid)
    assert f"{regions.logical}.bonus" in await tables(office, us)
    kept = await office.run(us, "select full_name from employee")
    under = RanUnder(conn_uuid=us.conn_uuid, team_uuid=office.team_uuid, run_uuid=kept.run_uuid)
    crowd = ", ".join(f"({number}, 'x', 1)" for number in range(100, 1100))
    await regions.customer.execute(f"insert into {regions.schema('us')}.employee values {crowd}")
    slow = " cross join ".join(f"employee e{number}" for number in range(4))
    running = asyncio.create_task(office.run(us, f"select sum(e0.id + e3.id) as total from {slow}", run_uuid=uuid4()))
    assert await within(10, lambda: _runs(regions))
    await office.admin.call(connection.DELETE_CONNECTION, ByConnection(conn_uuid=us.conn_uuid))
    with pytest.raises(NotFound):
        await asyncio.wait_for(running, 5)
    with pytest.raises(NotFound):
        await office.run(us, "select full_name from employee")
    with pytest.raises(NotFound):
        await office.admin.call(connection.GET_CONNECTION, ByConnection(conn_uuid=us.conn_uuid))
    assert (await office.ask(connection.CHECK_GRANTS, CheckGrants(data=(under,)))).data == ()
    assert sorted(await tables(office, us)) == [f"{regions.logical}.{name}" for name in ("employee", "office")]
    assert await names(office, logins["eu"], "select full_name from employee") == list(PEOPLE["eu"])
    with pytest.raises(Conflict):
        await office.admin.call(connection.DELETE_CONNECTION, ByConnection(conn_uuid=logins["eu"].conn_uuid))


async def _runs(regions: Regions) -> bool:
    return bool(await regions.as_login("us").busy())


async def test_a_template_can_not_be_taken_from_under_a_login(
    office: Office, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    change = UpdateDatabase(db_uuid=logins["eu"].db_uuid, schemas=(Schema(schema_nm=regions.schema("eu")),))
    with pytest.raises(InvalidInput) as refused:
        await office.admin.call(connection.UPDATE_DATABASE, change)
    assert [error.field for error in refused.value.errors] == ["schemas"]
    assert str(logins["us"].conn_uuid) in refused.value.message


async def test_another_tenants_connection_is_not_there(
    desk: Desk, regions: Regions, logins: dict[str, CreatedDatabase]
) -> None:
    admin = (await desk.office()).admin
    conn_uuid = logins["us"].conn_uuid
    with pytest.raises(NotFound):
        await admin.call(connection.CREATE_CONNECTION, regions.connection(logins["eu"], "us"))
    with pytest.raises(NotFound):
        await admin.call(connection.UPDATE_CONNECTION, UpdateConnection(conn_uuid=conn_uuid, data_source_desc="x"))
    with pytest.raises(NotFound):
        await admin.call(connection.DELETE_CONNECTION, ByConnection(conn_uuid=conn_uuid))
