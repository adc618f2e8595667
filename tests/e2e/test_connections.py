"""Several logins of one database, as a REST client adds, changes and deletes them."""

from pathlib import Path
from typing import Any

import pytest

from rest import Api, Tenant, demo_database, run_command, wait_indexed

TEMPLATE = "hr_{{which}}"


def schemas(value: str) -> list[dict[str, Any]]:
    return [{"schema_nm": TEMPLATE, "jinja_values": {"which": value}}]


@pytest.fixture(scope="module")
def body(stack: dict[str, str]) -> dict[str, Any]:
    return demo_database(stack) | {"schemas": schemas("demo_db")}


@pytest.fixture(scope="module")
def tenant(api: Api, stack_folder: Path, body: dict[str, Any]) -> Tenant:
    """A client of its own whose demo database has a templated schema."""
    created = run_command("client", "create", "connections", "--state", str(stack_folder))
    tenant = Tenant.enter(api, created["client_secret"])
    made = tenant.user.post("/connection/database/", json=body)
    tenant.objects |= {name: made[name] for name in ("db_uuid", "conn_uuid")}
    tenant.user.post(f"/connection/{made['conn_uuid']}/team/", json={"team_uuids": [tenant.objects["team_uuid"]]})
    wait_indexed(tenant.user, made["db_uuid"])
    return tenant


def test_a_templated_schema_is_asked_by_its_own_name_and_shown_by_the_logins(tenant: Tenant) -> None:
    page = tenant.user.get(f"/connection/database/{tenant.objects['db_uuid']}/table/")
    assert {table["schema_name"] for table in page["data"]} == {"hr_which"}
    answer = tenant.ask("How many employees are there?")
    assert answer["msg_type"] == "response", answer
    assert "hr_demo_db.employees" in answer["sql_query"]
    assert answer["proof"]["sql"] == answer["sql_query"]
    assert tenant.user.get(f"/result/{answer['result_uuid']}/")["sql_query"] == answer["sql_query"]
    again = tenant.user.post(f"/result/{answer['result_uuid']}/refresh/")
    assert (again["sql_query"], again["preview"]) == (answer["sql_query"], [[107]])
    tenant.user.put(f"/result/{answer['result_uuid']}/", json={"verified": True})
    verified = tenant.ask("How many employees are there?")
    assert (verified["verified"], verified["sql_query"]) == (True, answer["sql_query"])


def test_logins_are_added_from_csv_row_by_row(tenant: Tenant, body: dict[str, Any]) -> None:
    user, path = tenant.user, f"/connection/database/{tenant.objects['db_uuid']}/connection/"
    rows = f"""username,password,data_source_desc,which
{body["username"]},{body["password"]},good,demo_db
{body["username"]},hunter2-wrong,bad,demo_db
"""
    as_csv = {"headers": {"Content-Type": "text/csv; charset=utf-8"}, "content": "\ufeff" + rows}
    sent = user.call("POST", f"{path}bulk/", **as_csv)
    report = sent.json()
    assert (sent.status_code, report["created"], report["failed"]) == (200, 1, 1), sent.text
    assert "hunter2" not in sent.text
    assert body["password"] not in sent.text
    assert report["data"][1]["code"] == "login_refused"
    wait_indexed(user, tenant.objects["db_uuid"])
    shown = user.get(f"/connection/{report['data'][0]['conn_uuid']}/")
    assert (shown["data_source_desc"], shown["schemas"]) == ("good", schemas("demo_db"))
    for content, kind, status in (
        (b"\xff\xfe", "text/csv", 422),
        (b"username\x00,password\n", "text/csv", 422),
        (rows.encode(), "text/plain", 415),
        (b"", "text/csv", 422),
        (b"x" * 1_100_000, "text/csv", 413),
    ):
        refused = user.call("POST", f"{path}bulk/", content=content, headers={"Content-Type": kind})
        assert refused.status_code == status, refused.text
    assert user.call("POST", path, content=rows, headers={"Content-Type": "text/csv"}).status_code == 415
    user.delete(f"/connection/{report['data'][0]['conn_uuid']}/")


def test_a_login_is_added_changed_and_deleted(tenant: Tenant, body: dict[str, Any]) -> None:
    user, path = tenant.user, f"/connection/database/{tenant.objects['db_uuid']}/connection/"
    login = {name: body[name] for name in ("username", "password")}
    added = user.post(path, json=login | {"data_source_desc": "another", "schemas": schemas("demo_db")})
    wait_indexed(user, tenant.objects["db_uuid"])
    one = f"/connection/{added['conn_uuid']}/"
    assert [found["conn_uuid"] for found in user.get(path)["data"]] == [added["conn_uuid"], tenant.objects["conn_uuid"]]
    shown = user.call("GET", one)
    assert body["password"] not in shown.text
    assert shown.json()["schemas"] == schemas("demo_db")

    assert user.put(one, json={"data_source_desc": "for the Americas"})["data_source_desc"] == "for the Americas"
    for wrong, field in (
        ({"password": "wrong"}, "username"),
        ({"schemas": schemas("nowhere")}, "schemas"),
        ({"schemas": schemas("-")}, "schemas[0].jinja_values.which"),
        ({"schemas": [{"schema_nm": TEMPLATE}]}, "schemas[0].jinja_values"),
        ({"schemas": [{"schema_nm": "hr_{{which"}]}, "schemas[0].schema_nm"),
        ({"host": "localhost"}, "host"),
    ):
        refused = user.call("PUT", one, json=wrong)
        assert refused.status_code == 422, refused.text
        assert [error["field"] for error in refused.json()["errors"]] == [field]
    user.delete(one)
    assert user.call("GET", one).status_code == 404
    last = user.call("DELETE", f"/connection/{tenant.objects['conn_uuid']}/")
    assert (last.status_code, last.json()["code"]) == (409, "conflict")
