"""What is done with a result over the whole stack: read whole, refreshed, saved, shared, found, deleted."""

import csv
import io

import pyarrow.parquet as pq
import pytest

from rest import Tenant


@pytest.fixture(scope="module")
def departments(tenant: Tenant) -> str:
    answered = tenant.ask("Show all departments")
    assert answered["msg_type"] == "response", answered["content"]
    uuid: str = answered["result_uuid"]
    return uuid


def test_all_rows_are_downloaded_in_both_formats(tenant: Tenant, departments: str) -> None:
    kept = tenant.user.get(f"/result/{departments}/")
    plain = tenant.user.call("GET", f"/result/{departments}/csv/", headers={"Accept-Encoding": "gzip"})
    assert plain.headers["x-row-count"] == str(kept["row_num_total"])
    assert "content-encoding" not in plain.headers
    rows = list(csv.reader(io.StringIO(plain.text, newline="")))
    assert rows[0] == [column["name"] for column in kept["columns"]]
    assert len(rows) == kept["row_num_total"] + 1
    parquet = tenant.user.call("GET", f"/result/{departments}/parquet/")
    assert pq.read_table(io.BytesIO(parquet.content)).num_rows == kept["row_num_total"]


def test_a_result_is_refreshed_saved_found_and_deleted(tenant: Tenant, departments: str) -> None:
    user, team = tenant.user, tenant.objects["team_uuid"]
    refreshed = user.post(f"/result/{departments}/refresh/")
    assert refreshed["refreshed_at"]
    body = {"result_uuid": departments, "title": "Our departments", "share_w_team": True}
    saved = user.post("/result/save/", json=body)
    assert saved["team_uuid"] == team
    found = user.post("/result/saved/search/", json={"text": "our dep", "team_uuid": team})
    assert [one["title"] for one in found["data"]] == ["Our departments"]
    many = user.post("/result/bulk/", json={"result_uuids": [departments]})
    assert many["data"][0]["result_uuid"] == departments
    assert user.call("DELETE", f"/result/{departments}/").status_code == 409
    path = f"/result/saved/{saved['saved_result_uuid']}/"
    assert user.get(path)["result"] == many["data"][0]
    for gone in (path, f"/result/{departments}/"):
        assert user.call("DELETE", gone).status_code == 200
        assert user.call("GET", gone).status_code == 404
