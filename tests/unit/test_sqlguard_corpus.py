"""What analysts write is allowed, what does anything but read is denied, dialect by dialect; and stays so however it
is written. Without a catalog, as in a linter: that is the weaker proof."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basejump_sqlguard import DIALECTS, Proof, Refusal, fingerprint, prove
from soaking import times
from sqlguard_cases import ALLOWED, CASES, DENIED, Case

BY_DIALECT = {dialect: tuple(group) for dialect, group in groupby(CASES, key=lambda case: case.dialect)}


def proof_of(case: Case) -> Proof | Refusal:
    return prove(case.sql, case.dialect, None)


def test_every_dialect_has_many_statements_of_both_kinds() -> None:
    assert set(BY_DIALECT) == set(DIALECTS)
    assert len(ALLOWED) >= 300
    assert len(DENIED) >= 400
    for group in BY_DIALECT.values():
        assert sum(case.allowed for case in group) >= 30
        assert sum(not case.allowed for case in group) >= 50


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_analysts_write_is_proved_and_proves_again(dialect: str) -> None:
    wrong = []
    for case in BY_DIALECT[dialect]:
        outcome = proof_of(case) if case.allowed else None
        if isinstance(outcome, Proof):
            outcome = prove(outcome.sql, dialect, None)
        if isinstance(outcome, Refusal):
            wrong.append((case.sql, outcome.code, outcome.reason))
    assert not wrong


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_does_anything_else_is_refused_for_the_right_reason(dialect: str) -> None:
    wrong = []
    for case in BY_DIALECT[dialect]:
        outcome = None if case.allowed else proof_of(case)
        if isinstance(outcome, Proof) or (outcome is not None and outcome.code not in case.codes):
            wrong.append((case.sql, case.codes, outcome))
    assert not wrong


@pytest.mark.parametrize(
    "sql",
    ["SELECT\u00a0pg_sleep(1)", "PG\u200b_SLEEP(1)", "SELECT 1\u2028;DELETE FROM t", "SELECT 1\x00; DROP TABLE x"],
)
def test_odd_spaces_hide_nothing(sql: str) -> None:
    assert not isinstance(prove(sql, "postgres", None), Proof)


@pytest.mark.soak
@given(
    case=st.sampled_from(ALLOWED),
    space=st.sampled_from([" ", "\n", "\t", "  ", "\r\n"]),
    comma=st.sampled_from([",", ", /* x */", "\n  , -- x\n"]),
    lower=st.booleans(),
    around=st.sampled_from(["{}", "{};", "/* x */ {}", "{} -- x", "\n{}\n", "{} ;  "]),
)
@settings(max_examples=times(200, soak=10_000), deadline=None)
def test_what_is_allowed_stays_allowed_however_it_is_set(
    case: Case, space: str, comma: str, lower: bool, around: str
) -> None:
    sql = case.sql
    if not _has_texts(sql):
        sql = sql.replace(" ", space).replace(",", comma)
        sql = sql.lower() if lower and case.dialect not in ("snowflake", "bigquery") else sql
    sql = around.replace("{}", sql)
    outcome = prove(sql, case.dialect, None)
    assert isinstance(outcome, Proof), (sql, outcome)
    assert fingerprint(sql, case.dialect) == fingerprint(case.sql, case.dialect)


def _has_texts(sql: str) -> bool:
    """Texts, quoted names and comments mean something else in another case or with other spaces."""
    return any(mark in sql for mark in ("'", '"', "`", "[", "$", "--", "/*", "#", "//", "{"))
