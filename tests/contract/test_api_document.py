"""docs/api.md lists every call and the test that proves it; nobody adds a call without one."""

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from basejump_common.security.principal import Credential, Role
from basejump_gateway.routes import ROUTES, Route

ROOT = Path(__file__).parents[2]
MATRIX = "tests/e2e/test_permissions.py"
_ROW = re.compile(r"^\| `((?:GET|POST|PUT|DELETE) /\S+)` \|.*\|((?: `[^`]+`)+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A call as the document has it: the whole line, and the tests that it names."""

    text: str
    proofs: tuple[str, ...]


def rows() -> dict[str, Row]:
    found = list(_ROW.finditer((ROOT / "docs/api.md").read_text()))
    assert len({row[1] for row in found}) == len(found), "a call has two rows"
    return {row[1]: Row(row[0], tuple(re.findall(r"`([^`]+)`", row[2]))) for row in found}


ROWS = rows()


def call(route: Route) -> str:
    return f"{route.method} {route.path}"


def begins(route: Route) -> str:
    """The row of a route up to who may call; more about that may follow behind a colon."""
    return f"| `{call(route)}` | {route.summary} | {who(route)}"


def who(route: Route) -> str:
    access = route.operation.access
    if not access.credentials:
        return "anybody"
    if Credential.REFRESH in access.credentials:
        return "a refresh token"
    if Credential.ACCESS not in access.credentials:
        return "an INTERNAL client secret" if access.least is Role.INTERNAL else "a client secret"
    return access.least.value + (" or client secret" if Credential.CLIENT_SECRET in access.credentials else "")


@pytest.mark.parametrize("route", ROUTES, ids=call)
def test_every_route_has_its_row(route: Route) -> None:
    row = ROWS.get(call(route), Row("", ()))
    expected = begins(route)
    assert row.text.startswith((f"{expected} |", f"{expected}: ")), (
        "docs/api.md lacks this row, or has another. In the table of its part of the API write\n"
        f"{expected} | `tests/…/test_….py::test_…` |\nand name in it the test that proves what the call does."
    )


def test_every_row_is_a_route() -> None:
    assert not ROWS.keys() - {call(route) for route in ROUTES}, "docs/api.md promises calls that nobody answers"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_row_names_tests_that_exist(name: str) -> None:
    for proof in ROWS[name].proofs:
        path, _, function = proof.partition("::")
        assert function in _tests_in(path), f"docs/api.md: {name} is proved by {proof}, which doesn't exist"
        assert path != MATRIX, f"docs/api.md: who may call {name} is no proof of what it does"


@cache
def _tests_in(path: str) -> frozenset[str]:
    """The tests in a file."""
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text())
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in functions if name.startswith("test_"))


def test_every_route_is_in_the_permission_matrix() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", MATRIX]
    collected = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert [call(route) for route in ROUTES if f"[{call(route)}]" not in collected] == []
