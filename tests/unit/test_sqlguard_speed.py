"""Proofs take about as long as sqlglot's own parse and qualify, whatever the catalog holds. Processor time and counts,
so that a busy machine doesn't matter."""

import statistics
import sys
import time
from types import FrameType
from typing import Any

import pytest

from basejump_sqlguard import Catalog, CatalogTable, Proof, Refusal, prove
from large_catalogs import guard_tables
from proof_samples import SHOP, own_queries, parse_and_qualify, plain_schema, seconds

P50_SECONDS = 0.0006
TIMES_SQLGLOT = 3
SLACK = 5
"""What a slow machine may blur; a catalog rebuilt or looked through for each statement costs far more."""


def test_a_proof_is_as_fast_as_promised() -> None:
    schema = plain_schema(SHOP)
    proofs, baseline = [], []
    for sql in own_queries():
        assert isinstance(prove(sql, "postgres", SHOP), Proof), sql
        proofs.append(min(_processor_time(lambda: prove(sql, "postgres", SHOP)) for _ in range(3)))  # noqa: B023
        baseline.append(min(_processor_time(lambda: parse_and_qualify(sql, schema)) for _ in range(3)))  # noqa: B023
    assert len(proofs) > 100
    assert statistics.median(proofs) < SLACK * P50_SECONDS
    assert sum(proofs) < SLACK * TIMES_SQLGLOT * sum(baseline)


@pytest.fixture(scope="module")
def among_ten_thousand() -> Catalog:
    return Catalog([*guard_tables(10_000, 20), *SHOP.tables()], SHOP.default_schemas)


def test_a_proof_takes_the_same_steps_in_a_catalog_of_ten_thousand_tables(among_ten_thousand: Catalog) -> None:
    few = Catalog([*guard_tables(100, 20), *SHOP.tables()], SHOP.default_schemas)
    for sql in own_queries()[::8]:
        proof = prove(sql, "postgres", few)
        assert prove(sql, "postgres", among_ten_thousand) == proof
        assert _steps(sql, among_ten_thousand) < 1.2 * _steps(sql, few), sql


def test_a_name_that_no_table_has_is_compared_with_a_few_of_them_only(among_ten_thousand: Catalog) -> None:
    sql = "SELECT id FROM custmer"
    refusal = prove(sql, "postgres", among_ten_thousand)
    assert isinstance(refusal, Refusal)
    assert "customer" in refusal.suggestions
    assert min(_processor_time(lambda: prove(sql, "postgres", among_ten_thousand)) for _ in range(3)) < 0.1


def test_a_table_that_ten_thousand_schemas_have_is_found_by_its_schema() -> None:
    one = SHOP.named("customer")[0]
    schemas = [CatalogTable(schema=f"shop_{number}", name=one.name, columns=one.columns) for number in range(10_000)]
    catalog = Catalog(schemas)
    sql = "SELECT id FROM shop_{}.customer"
    few = Catalog(schemas[:100])
    prove(sql.format(77), "postgres", few)
    prove(sql.format(7_777), "postgres", catalog)
    assert _steps(sql.format(7_777), catalog) < 1.2 * _steps(sql.format(77), few)
    refusal = prove("SELECT id FROM customer", "postgres", catalog)
    assert isinstance(refusal, Refusal)
    assert len(refusal.suggestions) == 10


def test_a_statement_of_hundreds_of_joins_is_proved_in_no_time() -> None:
    joins = " ".join(f"JOIN purchase p{i} ON p{i}.customer_id = p{i - 1}.id" for i in range(1, 200))
    sql = f"SELECT count(*), sum(p0.total) FROM purchase p0 {joins}"
    assert isinstance(prove(sql, "postgres", SHOP), Proof)
    assert min(_processor_time(lambda: prove(sql, "postgres", SHOP)) for _ in range(3)) < 1


def _processor_time(call: Any) -> float:
    return seconds(call, time.process_time)


def _steps(sql: str, catalog: Catalog) -> int:
    """How many of Python's instructions the proof takes."""
    steps = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        steps += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        prove(sql, "postgres", catalog)
    finally:
        sys.settrace(before)
    return steps
