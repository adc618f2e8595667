"""The whole stack as `make run` serves it: its own processes, its own ports, one for all end-to-end tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from basejump_devstack.state import State
from own_bucket import ObjectServer
from rest import Api, Tenant, run_command
from stacks import running_stack


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack keeps its state."""
    return tmp_path_factory.mktemp("stack") / ".basejump"


@pytest.fixture(scope="session")
def buckets() -> Iterator[ObjectServer]:
    """A customer's object storage."""
    with ObjectServer() as server:
        yield server


@pytest.fixture(scope="session")
async def stack(stack_folder: Path, buckets: ObjectServer) -> AsyncIterator[dict[str, str]]:
    """A stack whose questions the built-in planner answers; the values of its dev.env, and where a bucket is."""
    async with running_stack(stack_folder) as values:
        yield values | {"BUCKET_URL": buckets.url, "BUCKET": buckets.make_bucket()}


@pytest.fixture(scope="session")
def stack_log(stack: dict[str, str], stack_folder: Path) -> Path:
    """Everything the stack printed."""
    return stack_folder.parent / "stack.log"


@pytest.fixture(scope="session")
def api(stack: dict[str, str]) -> Iterator[Api]:
    """The REST API with no credential."""
    with httpx.Client(base_url=stack["BASE_URL"], timeout=130) as client:
        yield Api(client)


@pytest.fixture(scope="session")
def tenant(api: Api, stack: dict[str, str]) -> Tenant:
    """The first client with an ADMIN, a team and the demo database, indexed."""
    return Tenant.enter(api, stack["API_KEY"]).with_demo(stack)


@pytest.fixture(scope="session")
def plain_postgres(stack_folder: Path, stack: dict[str, str]) -> int:
    """The port of a PostgreSQL without TLS: the stack's own."""
    assert stack
    return State(stack_folder).kept_port("PostgreSQL")


@pytest.fixture(scope="session")
def other_authority() -> str:
    """A certificate authority, in PEM, that signed nothing here."""
    return trustme.CA().cert_pem.bytes().decode()


@pytest.fixture(scope="session")
def operator(api: Api, stack_folder: Path) -> Api:
    """The operator's own API, by an INTERNAL secret."""
    return api.with_secret(run_command("internal-secret", "create", "--state", str(stack_folder))["client_secret"])
