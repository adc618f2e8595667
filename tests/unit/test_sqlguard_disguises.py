"""Every statement of the corpus that is denied stays denied: wherever in a query it stands, however its words are set
apart, however the names of its functions are quoted."""

from __future__ import annotations

import re
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basejump_sqlguard import DIALECTS, Proof, Refusal, prove
from soaking import times
from sqlguard_cases import DENIED, Case
from sqlguard_disguises import PLACES, SEPARATORS, STACKS, places_of, set_apart

# Words alone may be names of columns once they stand in parentheses, and are harmless then: they do nothing there.
_BARE_WORDS = re.compile(r"[A-Za-z_ ]+")
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "FROM", "PIVOT", "UNPIVOT")
WRAPPABLE = [
    case
    for case in DENIED
    if case.sql != "SELECT SQLERRM"  # a column of whatever is around it
    and (case.sql.upper().startswith(_QUERIES) or not _BARE_WORDS.fullmatch(case.sql))
]
# What closes more than it opens may be put right by a place that opens more than it closes: one that ends in a comment.
BALANCED = [case for case in WRAPPABLE if case.sql.count("(") == case.sql.count(")")]
_QUOTED = {
    "postgres": ('"{}"', "pg_catalog.{}", 'pg_catalog."{}"', "public.{}", "{}/**/"),
    "redshift": ('"{}"', "pg_catalog.{}", "{}\n"),
    "mysql": ("`{}`", "mysql.{}", "{} ", "{}/**/"),
    "tsql": ("[{}]", '"{}"', "dbo.{}", "sys.{}", "[sys].[{}]"),
    "snowflake": ('"{}"', "db.sc.{}", "{} "),
    "bigquery": ("`{}`", "SAFE.{}", "d.{}", "`p.d`.{}"),
    "duckdb": ('"{}"', "main.{}", "system.main.{}", "pg_catalog.{}"),
    "sqlite": ('"{}"', "[{}]", "`{}`", "main.{}"),
}
_CALL = re.compile(r"""(?<![\w."`\[$])([A-Za-z_]\w*)\s*\(""")
CALLING = [case for case in DENIED if "forbidden_function" in case.codes and _CALL.search(case.sql)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_most_places_are_places_of_every_dialect(dialect: str) -> None:
    assert len(places_of(dialect)) >= len(PLACES) - 6


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_denied_is_denied_in_every_place(dialect: str) -> None:
    """Three places for each statement, in turn; the soak tries them all."""
    turns = cycle(places_of(dialect))
    wrong = []
    for case in WRAPPABLE:
        if case.dialect == dialect:
            wrong += [_allowed(place.replace("{}", case.sql), case) for place in islice(turns, 3)]
    assert not [item for item in wrong if item]


@pytest.mark.soak
@given(
    case=st.sampled_from(BALANCED),
    choices=st.lists(st.integers(0, len(PLACES)), min_size=1, max_size=3),
    separator=st.sampled_from(SEPARATORS),
)
@settings(max_examples=times(300, soak=50_000), deadline=None)
def test_what_is_denied_is_denied_in_places_in_places(case: Case, choices: list[int], separator: str) -> None:
    sql = set_apart(case.sql, case.dialect, separator)
    places = places_of(case.dialect)
    for choice in choices:
        sql = places[choice % len(places)].replace("{}", sql)
    assert not _allowed(sql, case)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_words_set_apart_hide_nothing(dialect: str) -> None:
    separators = cycle(SEPARATORS[1:])
    cases = [case for case in DENIED if case.dialect == dialect]
    wrong = [_allowed(set_apart(case.sql, dialect, next(separators)), case) for case in cases]
    assert not [item for item in wrong if item]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_function_is_the_same_however_its_name_is_quoted(dialect: str) -> None:
    forms = cycle((form, spelled) for form in _QUOTED[dialect] for spelled in (str, str.upper, str.lower))
    wrong = []
    for case in (case for case in CALLING if case.dialect == dialect):
        for found in _CALL.finditer(case.sql):
            for form, spelled in islice(forms, 2):
                name = form.format(spelled(found.group(1)))
                wrong.append(_allowed(case.sql[: found.start(1)] + name + case.sql[found.end(1) :], case))
    assert not [item for item in wrong if item]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stack", STACKS)
def test_two_statements_are_two_whatever_they_are(dialect: str, stack: str) -> None:
    for sql in ("SELECT 1 AS x", "SELECT a FROM t WHERE b = 1"):
        assert isinstance(prove(stack.replace("{}", sql), dialect, None), Refusal)


def _allowed(sql: str, case: Case) -> tuple[str, str] | None:
    outcome = prove(sql, case.dialect, None)
    return (sql, outcome.sql) if isinstance(outcome, Proof) else None
