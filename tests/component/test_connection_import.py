"""Many logins from a CSV text: each row is told apart, and no password is said."""

import csv
import io
import logging
from typing import Any

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    CreatedDatabase,
    DatabaseConnectionsRequest,
    DatabaseType,
    ImportConnections,
    ImportReport,
    Schema,
    TableScope,
    TeamConnectionsRequest,
)
from basejump_common.errors import Conflict, InvalidInput, NotFound
from basejump_common.security.secret import Secret
from basejump_connection_indexer.domain.imported import MOST_CHARACTERS, MOST_ROWS, rows_of
from connection_house import Desk, Office
from customers import Customers
from documents import the
from regions import PEOPLE, Regions, regional

HEADER = ("username", "password", "data_source_desc", "region")
TEMPLATE = (Schema(schema_nm="hr{{region}}", jinja_values={"region": "_eu"}), Schema(schema_nm="shared"))


def text(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> Secret:
    written = io.StringIO()
    csv.writer(written).writerows((header, *rows))
    return Secret(written.getvalue())


@pytest.fixture(scope="module")
async def regions(customers: Customers) -> Regions:
    return await regional(customers)


@pytest.fixture
async def created(office: Office, regions: Regions) -> CreatedDatabase:
    return await office.add(regions.database("eu"))


async def send(office: Office, created: CreatedDatabase, rows: Secret, **given: Any) -> ImportReport:
    request = ImportConnections(db_uuid=created.db_uuid, csv=rows, **given)
    return await office.admin.call(connection.IMPORT_CONNECTIONS, request)


async def test_rows_that_are_right_are_kept_whatever_is_wrong_with_others(
    office: Office, regions: Regions, created: CreatedDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    password = regions.password.reveal()
    good = (regions.login("us"), password, "The Americas", "_us")
    report = await send(
        office,
        created,
        text(
            good,
            (regions.login("us"), "hunter2-wrong", "", "_us"),
            ("nobody_here", "hunter2-wrong", "", "_us"),
            (regions.login("us"), password, "", "_nowhere"),
            (regions.login("us"), password, "", "-"),
            (regions.login("us"), password, "", ""),
            (regions.login("us"), "", "", "_us"),
            ("hunter2-wrong", regions.login("us")),
            good,
        ),
    )
    assert (report.created, report.failed) == (2, 7)
    assert [one.row for one in report.data] == list(range(1, 10))
    assert [(one.code, [error.field for error in one.errors]) for one in report.data] == [
        (None, []),
        ("login_refused", ["username"]),
        ("login_refused", ["username"]),
        ("schema_missing", ["schemas"]),
        ("invalid_input", ["schemas[0].jinja_values.region"]),
        ("invalid_input", ["schemas[0].jinja_values"]),
        ("invalid_input", ["password"]),
        ("invalid_input", ["csv"]),
        (None, []),
    ]
    assert "hunter2" not in repr(report)
    assert "hunter2" not in caplog.text
    assert password not in caplog.text
    await office.indexed(created.db_uuid)
    us = CreatedDatabase(
        conn_uuid=report.data[0].conn_uuid or created.conn_uuid,
        db_uuid=created.db_uuid,
        database_name_alias=created.database_name_alias,
    )
    await office.grant(us.conn_uuid)
    ran = await office.run(us, f"select full_name from {regions.logical}.employee")
    assert sorted(row[0] for row in ran.preview) == list(PEOPLE["us"])


async def test_what_no_row_can_be_read_from_stores_nothing(
    desk: Desk, office: Office, regions: Regions, created: CreatedDatabase
) -> None:
    row = (regions.login("us"), regions.password.reveal(), "", "_us")
    for wrong in (
        Secret(""),
        Secret('username,password\n"never closed'),
        text(),
        text(row, header=("username", "password", "data_source_desc", "planet")),
        text(row, header=("username", "password", "username", "region")),
        text(row, header=("username", "data_source_desc", "region", "schemas")),
        text(*[row] * (MOST_ROWS + 1)),
        Secret("username,password\n" + "x" * MOST_CHARACTERS),
    ):
        with pytest.raises(InvalidInput) as refused:
            await send(office, created, wrong)
        assert [error.field for error in refused.value.errors] == ["csv"]
        assert row[1] not in refused.value.message
    listed = await office.admin.call(connection.LIST_CONNECTIONS, DatabaseConnectionsRequest(db_uuid=created.db_uuid))
    assert len(listed.data) == 1
    with pytest.raises(NotFound):
        await send(await desk.office(), created, text(row))


async def test_while_the_database_is_indexed_nothing_is_added(
    office: Office, regions: Regions, created: CreatedDatabase
) -> None:
    row = (regions.login("us"), regions.password.reveal(), "", "_us")
    await send(office, created, text(row))
    with pytest.raises(Conflict):
        await send(office, created, text(row))
    await office.indexed(created.db_uuid)


async def test_a_risky_login_needs_to_be_accepted_for_all_rows(office: Office, regions: Regions) -> None:
    created = await office.add(regions.database("eu"))
    is_postgres = regions.customers.engine is DatabaseType.POSTGRES
    risky = f"{regions.customer.name}_risky"
    await regions.log_in_as("us", risky)
    await regions.customer.execute(f"grant insert on {regions.schema('us')}.office to {risky}")
    row = (risky, regions.password.reveal(), "", "_us")
    refused = await send(office, created, text(row))
    assert [error.field for error in refused.data[0].errors] == ["username"]
    accepted = await send(office, created, text(row), accept_risky_role=True)
    says = "may write" if is_postgres else "has INSERT"
    assert says in accepted.data[0].warnings[0]


async def test_a_team_is_shown_what_it_may_query(desk: Desk, regions: Regions) -> None:
    office = await desk.office()
    created = await office.add(regions.database("eu"))
    deny = (TableScope(table="office"),)
    grant = connection.GrantTeams(conn_uuid=created.conn_uuid, team_uuids=(office.team_uuid,), deny=deny)
    await office.admin.call(connection.GRANT_TEAMS, grant)
    request = TeamConnectionsRequest(team_uuid=office.team_uuid)
    (shown,) = (await office.member.call(connection.LIST_TEAM_CONNECTIONS, request)).data
    assert (shown.conn_uuid, shown.database_name_alias) == (created.conn_uuid, created.database_name_alias)
    assert (shown.database_type, shown.allow) == (regions.customers.engine, None)
    assert shown.deny == (TableScope(table=f"{regions.logical}.office"),)


def test_schemas_and_values_of_a_row_are_those_that_it_names() -> None:
    columns = "username,password,schemas,region\n"
    rows = rows_of(f"{columns}a,b,,_us\nc,d,shared,\ne,f,hr{{{{region}}}};shared,_x\n\n", TEMPLATE)
    found = [[(one.schema_nm, one.jinja_values) for one in (row.login and row.login.schemas) or ()] for row in rows]
    assert found == [
        [("hr{{region}}", {"region": "_us"}), ("shared", {})],
        [("shared", {})],
        [("hr{{region}}", {"region": "_x"}), ("shared", {})],
    ]
    (plain,) = rows_of("username,password\na,b\n", TEMPLATE)
    assert plain.login is not None
    assert plain.login.schemas is None


def test_the_documented_text_is_read() -> None:
    rows = rows_of(the("docs/connections.md", "csv"), TEMPLATE[:1])
    logins = [row.login for row in rows if row.login]
    assert [(login.username, login.data_source_desc) for login in logins] == [
        ("reader_eu", "Europe"),
        ("reader_us", "The Americas"),
    ]
    values = [schema.jinja_values for login in logins for schema in login.schemas or ()]
    assert values == [{"region": "_eu"}, {"region": "_us"}]
