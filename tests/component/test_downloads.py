"""Whole results through the gateway: every row as CSV and Parquet, for who may read them, as fast as they are read."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import httpx
import pyarrow.parquet as pq
import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import ByGrant, Format, OpenRun
from basejump_common.security.principal import UserRole
from gateway_backend import client_of, problem_of, running
from identity import Person, within
from installation import Installation
from keeping import Kept, headers_of, keeping

ROWS = 45_000
TABLES = f"""
create schema shop;
create table shop.oddity (id integer primary key, note text, price numeric(30, 10), placed timestamptz, day date,
                          photo bytea, open boolean, ratio float8, seen timestamp);
insert into shop.oddity values
    (1, null, 12345678901234567890.0000000001, '2024-05-01 12:00:00.5+02', '2024-05-01', '\\x00ff', true, 0.1,
     '2024-05-01 12:00:00.5'),
    (2, '', -0.5, null, null, null, false, 'NaN', null),
    (3, E'say "hi",\\r\\nBo', null, '1999-12-31 23:59:59Z', '1999-12-31', '', null, 1e300, '0001-01-01'),
    (4, '=HYPERLINK("http://x")', 1, null, null, null, null, null, '9999-12-31 23:59:59.999999'),
    (5, 'Zoë 日本', 0.0000000001, null, null, null, null, 5, null);
create table shop.parcel as
    select n as id, 'parcel ' || n as label, n * 1.5 as weight, repeat('x', 600) as stuffing
    from generate_series(1, {ROWS}) n;
create table shop.ghost (id integer primary key, label text);
"""


async def get(place: Kept, result_uuid: UUID, form: str, person: Person | None = None) -> httpx.Response:
    return await place.send("GET", f"{result_uuid}/{form}/", person=person)


@pytest.fixture(scope="module")
async def place(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    folder = tmp_path_factory.mktemp("downloads")
    async with keeping(installation, folder, TABLES, downloads_at_once="2") as opened:
        yield opened


@pytest.fixture(scope="module")
async def oddities(place: Kept) -> UUID:
    return await place.ask("Show all oddities")


@pytest.fixture(scope="module")
async def parcels(place: Kept) -> UUID:
    return await place.ask("Show all parcels")


async def test_csv_has_every_value_as_it_is(place: Kept, oddities: UUID) -> None:
    response = await get(place, oddities, "csv")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["x-row-count"] == "5"
    assert response.headers["x-truncated"] == "false"
    names = "attachment; filename=\"Show all oddities.csv\"; filename*=UTF-8''Show%20all%20oddities.csv"
    assert response.headers["content-disposition"] == names
    assert response.content.decode() == (
        '"id","note","price","placed","day","photo","open","ratio","seen"\r\n'
        '1,,12345678901234567890.0000000001,"2024-05-01T10:00:00.500000Z",2024-05-01,"AP8=",true,0.1,"2024-05-01T12:00:00.500000"\r\n'
        '2,"",-0.5000000000,,,,false,nan,\r\n'
        '3,"say ""hi"",\r\nBo",,"1999-12-31T23:59:59.000000Z",1999-12-31,"",,1e+300,"0001-01-01T00:00:00.000000"\r\n'
        '4,"=HYPERLINK(""http://x"")",1.0000000000,,,,,,"9999-12-31T23:59:59.999999"\r\n'
        '5,"Zoë 日本",1E-10,,,,,5,\r\n'
    )


async def test_parquet_is_the_file_that_is_kept(place: Kept, oddities: UUID) -> None:
    response = await get(place, oddities, "parquet")
    assert response.headers["content-type"] == "application/vnd.apache.parquet"
    assert int(response.headers["content-length"]) == len(response.content)
    assert 'filename="Show all oddities.parquet"' in response.headers["content-disposition"]
    table = pq.read_table(io.BytesIO(response.content))
    assert table.column("note").to_pylist() == [
        None,
        "",
        'say "hi",\r\nBo',
        '=HYPERLINK("http://x")',
        "Zoë 日本",
    ]
    assert str(table.column("price")[0]) == "12345678901234567890.0000000001"


async def test_all_rows_come_not_those_of_the_preview(place: Kept, parcels: UUID) -> None:
    response = await get(place, parcels, "csv")
    assert response.headers["x-row-count"] == str(ROWS)
    rows = list(csv.reader(io.StringIO(response.text, newline="")))
    assert rows[0] == ["id", "label", "weight", "stuffing"]
    assert sorted(int(row[0]) for row in rows[1:]) == list(range(1, ROWS + 1))
    assert all(row[1] == f"parcel {row[0]}" and float(row[2]) == int(row[0]) * 1.5 for row in rows[1:])


async def test_an_empty_result_is_a_row_of_names(place: Kept) -> None:
    nothing = await place.ask("Show all ghosts")
    assert (await get(place, nothing, "csv")).text == '"id","label"\r\n'


async def test_who_may_not_read_a_result_may_not_download_it(place: Kept, oddities: UUID) -> None:
    office = place.office
    colleague = await office.tenant.person(UserRole.MEMBER)
    for form in ("csv", "parquet"):
        problem_of(await get(place, oddities, form, colleague), 404)
        problem_of(await get(place, uuid4(), form), 404)
    assert (await get(place, oddities, "csv", office.admin)).status_code == 200
    await office.admin.call(
        connection.REVOKE_GRANT, ByGrant(conn_uuid=place.shop.conn_uuid, team_uuid=office.team_uuid)
    )
    try:
        problem_of(await get(place, oddities, "csv"), 404)
    finally:
        await office.grant(place.shop.conn_uuid)


async def test_the_address_of_rows_is_good_for_one_run_for_a_while(place: Kept, oddities: UUID) -> None:
    run = await place.office.run(place.shop, "select id from shop.oddity")
    asked = OpenRun(
        run_uuid=run.run_uuid,
        conn_uuid=place.shop.conn_uuid,
        team_uuid=place.office.team_uuid,
        format=Format.CSV,
    )
    opened = await place.office.ask(connection.OPEN_RUN, asked)
    url = opened.url.reveal()
    async with httpx.AsyncClient() as source:
        assert (await source.get(url)).text.startswith('"id"\r\n')
        start, ticket = url.rsplit("/", 1)
        middle = len(ticket) // 2
        turned = "A" if ticket[middle] != "A" else "B"
        for changed in (ticket[:middle] + turned + ticket[middle + 1 :], ticket[:-8], "", "é", "a" * 9_000):
            assert (await source.get(f"{start}/{changed}")).status_code == 404


async def test_who_reads_slowly_holds_a_place_and_who_hangs_up_frees_it(place: Kept, parcels: UUID) -> None:
    asked = f"GET /api/v1/result/{parcels}/csv/ HTTP/1.1\r\nHost: x\r\n"
    asked += f"Authorization: {headers_of(place.office.member)['Authorization']}\r\n\r\n"
    port = int(place.url.rsplit(":", 1)[1])
    slow = [await asyncio.open_connection("127.0.0.1", port, limit=1_000) for _ in range(2)]
    for reader, writer in slow:
        writer.write(asked.encode())
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
    third = await get(place, parcels, "csv")
    problem_of(third, 503)
    assert third.headers["retry-after"] == "2"
    for _, writer in slow:
        writer.close()

    async def free() -> bool:
        return (await get(place, parcels, "csv")).status_code == 200

    assert await within(2, free)


async def test_a_file_that_goes_while_it_is_read_is_not_taken_for_the_whole(place: Kept) -> None:
    lost = await place.ask("Show all parcels")
    async with client_of(place.url) as api:
        path, headers = f"/api/v1/result/{lost}/csv/", headers_of(place.office.member)
        async with api.stream("GET", path, headers=headers) as response:
            place.newest_file().unlink()
            with pytest.raises(httpx.RemoteProtocolError):
                await response.aread()


async def test_a_gateway_that_drains_lets_a_download_finish(
    place: Kept, parcels: UUID, installation: Installation
) -> None:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(running(installation, drain_seconds="20"))
        path, headers = f"/api/v1/result/{parcels}/csv/", headers_of(place.office.member)
        async with client_of(url) as api, api.stream("GET", path, headers=headers) as response:
            pieces = response.aiter_bytes()
            first = await anext(pieces)
            draining = asyncio.create_task(stack.aclose())
            await asyncio.sleep(0.5)
            assert not draining.done()
            rest = b"".join([piece async for piece in pieces])
        await draining
    assert (first + rest).count(b"\r\n") == ROWS + 1


async def test_rows_that_are_gone_are_not_found(place: Kept) -> None:
    lost = await place.ask("How many oddities are there?")
    place.newest_file().unlink()
    assert "no longer kept" in problem_of(await get(place, lost, "csv"), 404)["detail"]
