"""What an admin writes about tables, as a REST client writes it."""

from pathlib import Path

import pytest

from rest import Api, Tenant, as_user, run_command


@pytest.fixture(scope="module")
def tenant(api: Api, stack: dict[str, str], stack_folder: Path) -> Tenant:
    """A client of its own: what is written here changes what others could ask."""
    created = run_command("client", "create", "notes", "--state", str(stack_folder))
    return Tenant.enter(api, created["client_secret"]).with_demo(stack)


def test_an_admin_writes_and_questions_see_it_at_once(tenant: Tenant) -> None:
    db_uuid = tenant.objects["db_uuid"]
    assert tenant.ask("How many employees are there?")["msg_type"] == "response"
    tables = {t["table_name"]: t for t in tenant.user.get(f"/connection/database/{db_uuid}/table/")["data"]}
    path = f"/connection/table/{tables['employees']['tbl_uuid']}/"

    written = tenant.user.put(path, json={"context": "Everybody on the payroll"})
    assert written["context"] == "Everybody on the payroll"
    assert written["changed_by"] == tenant.objects["user_uuid"]
    salary = {"column_name": "salary", "description": "Euros a month", "ignore": True}
    columns = tenant.user.put(f"{path}column/", json={"columns": [salary]})["columns"]
    assert [(c["description"], c["ignore"]) for c in columns if c["column_name"] == "salary"] == [
        ("Euros a month", True)
    ]
    assert tenant.ask("What is the average salary of employees?")["msg_type"] != "response"
    tenant.user.put(f"{path}column/", json={"columns": [{"column_name": "salary", "ignore": None}]})
    answered = tenant.ask("What is the average salary of employees?")
    assert answered["msg_type"] == "response"

    tenant.user.put(f"{path}column/", json={"columns": [salary]})
    gone = tenant.user.call("GET", f"/result/{answered['result_uuid']}/")
    assert gone.status_code == 404, gone.text
    changes = tenant.user.get(f"{path}changes/", params={"limit": 2})
    assert [(one["field"], one["before"], one["after"]) for one in changes["data"]] == [
        ("ignore", False, True),
        ("ignore", True, False),
    ]
    assert changes["next_cursor"]


def test_what_is_wrong_is_named_and_members_write_nothing(tenant: Tenant) -> None:
    db_uuid = tenant.objects["db_uuid"]
    table = tenant.user.get(f"/connection/database/{db_uuid}/table/")["data"][0]
    path = f"/connection/table/{table['tbl_uuid']}/"
    key = {
        "column_name": table["columns"][0]["column_name"],
        "foreign_key_table_name": "x",
        "foreign_key_column_name": "y",
    }
    refused = tenant.user.call("PUT", f"{path}column/", json={"columns": [key]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "columns[0].foreign_key_table_name"
    member = tenant.secret.post("/account/user/", params={"username": "reader", "role": "MEMBER"})["user_uuid"]
    reader = as_user(tenant.secret, member)
    assert reader.call("PUT", path, json={"ignore": True}).status_code == 403
    assert reader.call("GET", f"{path}changes/").status_code == 403
    assert reader.call("GET", path).status_code == 404, "no team of theirs has a grant"


def test_a_narrowed_grant_is_what_a_team_sees(tenant: Tenant) -> None:
    db_uuid, path = tenant.objects["db_uuid"], f"/connection/{tenant.objects['conn_uuid']}/team/"
    member = tenant.secret.post("/account/user/", params={"username": "narrow", "role": "MEMBER"})["user_uuid"]
    team_uuid = tenant.user.post("/account/team/", params={"team_name": "narrow"})["team_uuid"]
    tenant.user.post(f"/account/user/{member}/team/{team_uuid}/")
    deny = [{"table": "employees", "columns": ["salary"]}, {"table": "dependents"}]
    grants = tenant.user.post(path, json={"team_uuids": [team_uuid], "deny": deny})["data"]
    (narrowed,) = [grant for grant in grants if grant["team_uuid"] == team_uuid]
    assert [scope["table"].rpartition(".")[2] for scope in narrowed["deny"]] == ["employees", "dependents"]
    seen = as_user(tenant.secret, member).get(f"/connection/database/{db_uuid}/table/")["data"]
    tables = {table["table_name"]: table for table in seen}
    assert "dependents" not in tables
    assert "salary" not in {column["column_name"] for column in tables["employees"]["columns"]}
    refused = tenant.user.call("POST", path, json={"team_uuids": [team_uuid], "deny": [{"table": "nowhere"}]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "deny[0].table")
