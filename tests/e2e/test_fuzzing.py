"""schemathesis, all its phases, against the whole stack: nothing is a 500, nothing is outside the OpenAPI document.

`schemathesis_hooks.py` beside `rest.py` puts the client's own UUIDs into paths, or every object would be missing.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rest import Api, Tenant, as_user
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
TESTS = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def fuzzed(api: Api, operator: Api, stack: dict[str, str]) -> tuple[Api, dict[str, str]]:
    """The OWNER of a client of its own, and one object of each kind."""
    client = operator.post("/account/client/", json={"client_name": "fuzzed"})
    tenant = Tenant.enter(api, client["client_secret"]).with_demo(stack)
    owner = as_user(tenant.secret, client["owner_user_uuid"])
    objects = dict(tenant.objects)
    owner.post(f"/account/user/{client['owner_user_uuid']}/team/{objects['team_uuid']}/")
    objects["chat_uuid"] = owner.post(f"/chat/team/{objects['team_uuid']}/")["chat_uuid"]
    message = owner.post(f"/chat/{objects['chat_uuid']}/message/", json={"prompt": "How many employees are there?"})
    objects |= {"msg_uuid": message["msg_uuid"], "parent_msg_uuid": message["msg_uuid"]}
    objects["result_uuid"] = message["result_uuid"]
    tables = owner.get(f"/connection/database/{objects['db_uuid']}/table/")["data"]
    objects["tbl_uuid"] = tables[0]["tbl_uuid"]
    return owner, objects


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 60)
def test_every_call_keeps_to_its_description(
    stack: dict[str, str], fuzzed: tuple[Api, dict[str, str]], stack_log: Path, tmp_path: Path
) -> None:
    owner, objects = fuzzed
    server = stack["BASE_URL"].removesuffix("/api/v1")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{server}/api/openapi.json", "--url", server),
        *("--header", f"Authorization: {owner.headers['Authorization']}", "--header", "Prefer: wait=2"),
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", str(EXAMPLES), "--workers", "2", "--request-timeout", "30"),
        *("--continue-on-failure", "--no-shrink", "--warnings", "off", "--output-truncate", "true"),
        *(word for name in NOT_FUZZED for word in ("--exclude-operation-id", name)),
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": str(TESTS),
        "OWN_OBJECTS": json.dumps(objects),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated is not None, done.stdout[-2_000:]
    assert int(generated.group(1)) > 20 * EXAMPLES, "it has looked at something"
    assert "unexpected failure" not in stack_log.read_text()
