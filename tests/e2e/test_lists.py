"""What was connected, as an ADMIN finds it again."""

from rest import Tenant, demo_database, wait_indexed


def test_what_was_connected_is_listed_and_shown_without_its_password(tenant: Tenant, stack: dict[str, str]) -> None:
    db_uuid, conn_uuid = tenant.objects["db_uuid"], tenant.objects["conn_uuid"]
    database = tenant.user.get(f"/connection/database/{db_uuid}/")
    assert (database["host"], database["port"]) == (stack["DEMO_DB_HOST"], int(stack["DEMO_DB_PORT"]))
    assert [schema["schema_nm"] for schema in database["schemas"]] == ["hr_demo_db"]
    assert database in tenant.user.get("/connection/database/", params={"limit": 200})["data"]
    connection = tenant.user.get(f"/connection/{conn_uuid}/")
    assert (connection["db_uuid"], connection["username"]) == (db_uuid, stack["HR_DEMO_DB_USER"])
    assert tenant.user.get(f"/connection/database/{db_uuid}/connection/")["data"] == [connection]
    status = tenant.user.get(f"/connection/database/{db_uuid}/index-status/")
    tables = tenant.user.get(f"/connection/database/{db_uuid}/table/", params={"limit": 200})["data"]
    assert (status["status"], status["progress"], status["tables"]) == ("finished", 1, len(tables))
    assert stack["HR_DEMO_DB_PASSWORD"] not in f"{database}{connection}{status}{tables}"


def test_a_deleted_database_takes_its_connections_along(tenant: Tenant, stack: dict[str, str]) -> None:
    made = tenant.user.post("/connection/database/", json=demo_database(stack))
    wait_indexed(tenant.user, made["db_uuid"])
    tenant.user.delete(f"/connection/database/{made['db_uuid']}/")
    for path in (f"/connection/database/{made['db_uuid']}/", f"/connection/{made['conn_uuid']}/"):
        assert tenant.user.call("GET", path).status_code == 404
    left = tenant.user.get("/connection/database/", params={"limit": 200})["data"]
    assert made["db_uuid"] not in [database["db_uuid"] for database in left]
