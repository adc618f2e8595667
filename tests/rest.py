"""The API as a REST client uses it: the calls of the quickstart, told apart by who makes them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True)
class Api:
    """A REST client that may hold one credential."""

    client: httpx.Client
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Any call; `params` and `json` as httpx takes them."""
        headers = self.headers | arguments.pop("headers", {})
        return self.client.request(method, path, headers=headers, **arguments)

    def get(self, path: str, **arguments: Any) -> Any:
        """A GET that must answer 200; its JSON."""
        return _ok(self.call("GET", path, **arguments))

    def post(self, path: str, **arguments: Any) -> Any:
        """A POST that must answer 200; its JSON."""
        return _ok(self.call("POST", path, **arguments))

    def put(self, path: str, **arguments: Any) -> Any:
        """A PUT that must answer 200; its JSON."""
        return _ok(self.call("PUT", path, **arguments))

    def delete(self, path: str, **arguments: Any) -> Any:
        """A DELETE that must answer 200; its JSON."""
        return _ok(self.call("DELETE", path, **arguments))

    def with_secret(self, secret: str) -> "Api":
        """The same, with a client secret."""
        return Api(self.client, {"client-secret": secret})

    def with_token(self, token: str) -> "Api":
        """The same, with a bearer token."""
        return Api(self.client, {"Authorization": f"Bearer {token}"})


def _ok(response: httpx.Response) -> Any:
    assert response.status_code == 200, f"{response.status_code} {response.text}"
    return response.json()


@dataclass
class Tenant:
    """A client's secret, an ADMIN of it and the objects made so far, by the name of their path parameter."""

    secret: Api
    user: Api
    objects: dict[str, str]

    @classmethod
    def enter(cls, api: Api, client_secret: str, role: str = "ADMIN") -> "Tenant":
        """A new user of the client, as the owner's script makes one, with a team."""
        secret = api.with_secret(client_secret)
        user_uuid = secret.post("/account/user/", params={"username": "tester", "role": role})["user_uuid"]
        user = as_user(secret, user_uuid)
        tenant = cls(secret, user, {"user_uuid": user_uuid})
        if role == "ADMIN":
            team = user.post("/account/team/", params={"team_name": "testers"})
            tenant.objects["team_uuid"] = team["team_uuid"]
            user.post(f"/account/user/{user_uuid}/team/{team['team_uuid']}/")
        return tenant

    def with_demo(self, stack: dict[str, str]) -> "Tenant":
        """Connect the demo database, grant it to the team, wait for its index."""
        created = self.user.post("/connection/database/", json=demo_database(stack))
        self.objects |= {name: created[name] for name in ("db_uuid", "conn_uuid")}
        self.user.post(f"/connection/{created['conn_uuid']}/team/", json={"team_uuids": [self.objects["team_uuid"]]})
        wait_indexed(self.user, created["db_uuid"])
        return self

    def ask(self, prompt: str, **fields: Any) -> dict[str, Any]:
        """The final message to a question in a chat of its own."""
        chat = self.user.post(f"/chat/team/{self.objects['team_uuid']}/")
        asked = {"prompt": prompt} | fields
        message: dict[str, Any] = self.user.post(f"/chat/{chat['chat_uuid']}/message/", json=asked)
        return message


def refreshing(secret: Api, user_uuid: str) -> Api:
    """With a refresh token of the user."""
    return Api(secret.client).with_token(secret.post("/auth/token/", params={"user_uuid": user_uuid})["refresh_token"])


def as_user(secret: Api, user_uuid: str) -> Api:
    """With the user's access token, got by way of a refresh token."""
    refresh = refreshing(secret, user_uuid)
    access = refresh.post("/auth/access_token/", params={"user_uuid": user_uuid})["access_token"]
    return Api(secret.client).with_token(access)


def demo_database(stack: dict[str, str]) -> dict[str, Any]:
    """The body that connects the demo database, as in the owner's script."""
    return {
        "database_type": "postgres",
        "username": stack["HR_DEMO_DB_USER"],
        "password": stack["HR_DEMO_DB_PASSWORD"],
        "host": stack["DEMO_DB_HOST"],
        "port": int(stack["DEMO_DB_PORT"]),
        "database_name": stack["HR_DEMO_DB_NAME"],
        "query": {},
        "schemas": [{"schema_nm": "hr_demo_db"}],
        "data_source_desc": "a select only role",
        "ssl_mode": "require",
        "database_desc": "human resources",
        "include_default_schema": False,
    }


def wait_indexed(user: Api, db_uuid: str, seconds: float = 30) -> dict[str, Any]:
    """The finished index status; fails when it does not finish."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        status: dict[str, Any] = user.get(f"/connection/database/{db_uuid}/index-status/")
        if status["status"] == "finished":
            return status
        assert status["status"] in ("queued", "started", "scheduled"), status
        time.sleep(0.05)
    raise AssertionError("not indexed in time")


def within(seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until it does, as long as that; fails when it doesn't."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.1)


def first_owner(api: Api, stack: dict[str, str]) -> Api:
    """The OWNER user of the stack's first client."""
    secret = api.with_secret(stack["API_KEY"])
    admin = secret.post("/account/user/", params={"username": "finder", "role": "ADMIN"})["user_uuid"]
    page = as_user(secret, admin).get("/account/user/", params={"limit": 200})
    owner = next(user["user_uuid"] for user in page["data"] if user["role"] == "OWNER")
    return as_user(secret, owner)


def run_command(*arguments: str) -> dict[str, Any]:
    """The `basejump` command in a process of its own; the JSON that it shows."""
    command = [sys.executable, "-m", "basejump_cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
