"""What analysts write is allowed and what does anything but read is denied, dialect by dialect, without a catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from basejump_sqlguard import Proof, prove


def statements() -> Iterator[tuple[str, str, str]]:
    """Dialect, verdict and statement of each line of the file; headings say the first two."""
    dialect = verdict = ""
    for line in Path(__file__).with_name("sqlguard_statements.txt").read_text().splitlines():
        if line.startswith("## "):
            dialect, verdict = line[3:].split()
        else:
            yield dialect, verdict, line


@pytest.mark.parametrize("dialect", sorted({dialect for dialect, _, _ in statements()}))
def test_every_statement_gets_its_verdict(dialect: str) -> None:
    wrong = [
        (verdict, sql, str(outcome)[:200])
        for known, verdict, sql in statements()
        if known == dialect and isinstance(outcome := prove(sql, dialect, None), Proof) != (verdict == "allow")
    ]
    assert not wrong


@pytest.mark.parametrize(
    "sql",
    ["SELECT\u00a0pg_sleep(1)", "PG\u200b_SLEEP(1)", "SELECT 1\u2028;DELETE FROM t", "SELECT 1\x00; DROP TABLE x"],
)
def test_odd_spaces_hide_nothing(sql: str) -> None:
    assert not isinstance(prove(sql, "postgres", None), Proof)
