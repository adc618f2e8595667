"""schemathesis, all its phases, against the whole stack: nothing is a 500, nothing is outside the OpenAPI document.

`schemathesis_hooks.py` beside `rest.py` puts the client's own UUIDs into paths, or every object would be missing.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from basejump_common.security.principal import Credential, Role
from basejump_gateway.routes import PREFIX, ROUTES, Route
from household import settle
from rest import Api, refreshing
from soaking import times

EXAMPLES = times(20, soak=300)
SECONDS = times(240, soak=3_000)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
NOT_FUZZED = {
    "auth.token.revoke": "would end the session that the rest is called with",
    "chat.stream.open": "a stream that is let in has no end; its refusals are in test_streaming.py",
}
NEVER_RIGHT = {
    "connection.database.create": "no database answers at an address that is made up: 422",
    "connection.storage.create": "nor does a bucket",
}
TESTS = Path(__file__).parent.parent


@dataclass(frozen=True)
class Fuzzed:
    """The OWNER of a client of its own, one object of each kind, and the other credentials that calls need."""

    owner: Api
    objects: dict[str, str]
    credentials: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def fuzzed(api: Api, operator: Api, stack: dict[str, str]) -> Fuzzed:
    client = operator.post("/account/client/", json={"client_name": "fuzzed"})
    house = settle(api, client, stack, asker=Role.OWNER)
    credentials = {
        f"{route.method} {PREFIX}{route.path}": credential.headers
        for route in ROUTES
        if (credential := _other_credential(route, house.secret, client["owner_user_uuid"], operator)) is not None
    }
    return Fuzzed(house.owner, house.objects, credentials)


def _other_credential(route: Route, secret: Api, owner_uuid: str, operator: Api) -> Api | None:
    """Where the OWNER's access token doesn't open the call."""
    access = route.operation.access
    if not access.credentials or (Credential.ACCESS in access.credentials and access.least is not Role.INTERNAL):
        return None
    if Credential.REFRESH in access.credentials:
        return refreshing(secret, owner_uuid)
    return operator if access.least is Role.INTERNAL else secret


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 60)
def test_every_call_keeps_to_its_description(
    stack: dict[str, str], fuzzed: Fuzzed, stack_log: Path, tmp_path: Path
) -> None:
    server, answers = stack["BASE_URL"].removesuffix("/api/v1"), tmp_path / "answers.json"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server}/api/openapi.json", "--url", server),
        *("--header", "Prefer: wait=2", "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", str(EXAMPLES), "--workers", "2", "--request-timeout", "30"),
        *("--continue-on-failure", "--no-shrink", "--warnings", "off", "--output-truncate", "true"),
        *(word for name in NOT_FUZZED for word in ("--exclude-operation-id", name)),
    ]
    told = {"objects": fuzzed.objects, "credentials": fuzzed.credentials} | {
        "owner": fuzzed.owner.headers,
        "answers": str(answers),
    }
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": str(TESTS),
        "FUZZING": json.dumps(told),
        "NO_COLOR": "1",
    }
    assert _ended_well(command, environment, tmp_path / "said.txt"), (tmp_path / "said.txt").read_text()[-20_000:]
    counted: dict[str, int] = json.loads(answers.read_text())
    assert not [answer for answer in counted if answer.endswith((" 429", " 500", " 503"))], "nothing was away"
    looked_into = {answer.rpartition(" ")[0] for answer in counted if answer.endswith((" 200", " 404", " 409"))}
    expected = {f"{r.method} {PREFIX}{r.path}" for r in ROUTES if r.operation.name not in NOT_FUZZED | NEVER_RIGHT}
    assert looked_into >= expected, f"calls that never got past their checks: {sorted(expected - looked_into)}"
    assert "unexpected failure" not in stack_log.read_text()


def _ended_well(command: list[str], environment: dict[str, str], said: Path) -> bool:
    """What it says is kept in a file, to be read while it runs and when its time is over too."""
    with said.open("wb") as output:
        fuzzing = subprocess.Popen(command, cwd=said.parent, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            return fuzzing.wait(SECONDS) == 0
        except subprocess.TimeoutExpired:
            output.write(f"\nstopped after {SECONDS} s".encode())
            return False
        finally:
            fuzzing.kill()
            fuzzing.wait()
