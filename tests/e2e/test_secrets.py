"""A value planted in every secret field never shows in logs, events, streams, KV or tables."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from rest import Api, Tenant, as_user, demo_database, first_owner
from stores import tables

PLANTED = "planted-Xq7-secret"


@pytest.fixture(scope="module")
def planted(api: Api, tenant: Tenant, stack: dict[str, str]) -> dict[str, str]:
    """Every secret that went over the API, by what it is, after calls that succeed and calls that fail."""
    owner = first_owner(api, stack)
    secret = owner.post("/account/client/secret/", json={"role": "ADMIN", "description": "planted"})
    with_secret = api.with_secret(secret["client_secret"])
    user = with_secret.post("/account/user/", params={"username": "planted", "role": "MEMBER"})["user_uuid"]
    refresh = with_secret.post("/auth/token/", params={"user_uuid": user})["refresh_token"]
    access = api.with_token(refresh).post("/auth/access-token/")["access_token"]
    api.with_token(access).get("/account/client/")
    body = demo_database(stack)
    for path in ("/connection/database/", "/connection/database/test/"):
        refused = tenant.user.call("POST", path, json=body | {"password": PLANTED})
        assert refused.status_code == 422, refused.text
        assert PLANTED not in refused.text
        unreachable = tenant.user.call("POST", path, json=body | {"password": PLANTED, "port": 1})
        assert unreachable.status_code == 422
        unknown = tenant.user.call("POST", path, json=body | {"password": PLANTED, "passwort": PLANTED})
        assert unknown.status_code == 422
    mistyped = secret["client_secret"][:-1] + ("a" if secret["client_secret"][-1] != "a" else "b")
    assert api.with_secret(mistyped).call("POST", "/auth/token/", params={"user_uuid": user}).status_code == 401
    assert api.with_token(access[:-4] + "AAAA").call("GET", "/account/client/").status_code == 401
    signing = owner.post("/account/client/webhook-secret/")["webhook_secret"]
    hook = {"webhook_url": f"http://127.0.0.1:9/{PLANTED}-path", "webhook_headers": {"X-Key": f"{PLANTED}-header"}}
    answer = tenant.ask("How many employees are there?", **hook)
    ticket = tenant.user.post(f"/chat/{answer['chat_uuid']}/stream-ticket/")["ticket"]
    wrong = tenant.user.call("GET", f"/chat/{tenant.objects['team_uuid']}/stream/", params={"ticket": ticket})
    assert wrong.status_code == 401
    as_user(with_secret, user)
    return {
        "database password": stack["HR_DEMO_DB_PASSWORD"],
        "refused database password": PLANTED,
        "first client secret": stack["API_KEY"],
        "client secret": secret["client_secret"],
        "mistyped client secret": mistyped,
        "refresh token": refresh,
        "access token": access,
        "webhook secret": signing,
        "webhook secret's bytes": signing.removeprefix("whsec_"),
        "path of a webhook": f"{PLANTED}-path",
        "header of a webhook": f"{PLANTED}-header",
        "stream ticket": ticket,
    }


def shapes(value: str) -> Iterator[bytes]:
    """A value as it would stand in a file, in bytea's hex and in base64 (without its ragged ends)."""
    yield value.encode()
    yield value.encode().hex().encode()
    for shift in range(3):
        yield base64.b64encode(b"x" * shift + value.encode())[4:-4]


def assert_absent(planted: dict[str, str], where: str, content: bytes) -> None:
    for name, value in planted.items():
        assert not any(shape in content for shape in shapes(value)), f"the {name} stands in {where}"


def test_logs_hold_no_secret(planted: dict[str, str], stack_log: Path) -> None:
    content = stack_log.read_bytes()
    assert len(content) > 1_000
    assert_absent(planted, "the logs", content)


def test_streams_and_buckets_hold_no_secret(planted: dict[str, str], stack_folder: Path) -> None:
    files = [path for path in (stack_folder / "nats").rglob("*") if path.is_file()]
    blocks = [path for path in files if path.suffix == ".blk"]
    assert any(b"basejump.v1.event." in path.read_bytes() for path in blocks), "no event was stored at all"
    for path in files:
        if path.name != "nats.conf":
            assert_absent(planted, f"NATS's {path.name}", path.read_bytes())


async def test_tables_hold_no_secret(planted: dict[str, str], stack_folder: Path) -> None:
    async with tables(stack_folder) as (connection, names):
        assert len(names) > 15
        for name in names:
            rows = await connection.fetch(f"select row::text from {name} as row")
            assert_absent(planted, f"table {name}", "\n".join(row[0] for row in rows).encode())


def test_answers_show_no_secret_again(planted: dict[str, str], tenant: Tenant, api: Api, stack: dict[str, str]) -> None:
    owner = first_owner(api, stack)
    db_uuid, conn_uuid = tenant.objects["db_uuid"], tenant.objects["conn_uuid"]
    for client, path in [
        (owner, "/account/client/secret/"),
        (owner, "/account/client/webhook-secret/"),
        (tenant.user, "/chat/webhook-delivery/"),
        (tenant.user, "/connection/database/"),
        (tenant.user, f"/connection/database/{db_uuid}/"),
        (tenant.user, f"/connection/database/{db_uuid}/connection/"),
        (tenant.user, f"/connection/{conn_uuid}/"),
    ]:
        assert_absent(planted, path, client.call("GET", path).content)


def test_the_stack_keeps_its_folder_to_itself(planted: dict[str, str], stack_folder: Path) -> None:
    assert planted
    assert stack_folder.stat().st_mode & 0o077 == 0
    assert (stack_folder / "dev.env").stat().st_mode & 0o077 == 0
