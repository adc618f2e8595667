"""How alike two results are, and why: by their queries, the tables they read, and the rows they gave."""

from collections.abc import Set

from basejump_common.contracts.connection import Proof, QueryLikeness, RunsCompared
from basejump_common.contracts.result import ComparedResults, Likeness

_MOST_NAMED = 5


def likeness(source: Proof, target: Proof, compared: RunsCompared) -> ComparedResults:
    """The verdict with its reason."""
    verdict, why = _verdict(_tables(source), _tables(target), compared)
    return ComparedResults(comparison=verdict, why=why, differences=compared.differences, same_rows=compared.same_rows)


def _verdict(mine: Set[str], theirs: Set[str], compared: RunsCompared) -> tuple[Likeness, str]:
    if not compared.same_database:
        return Likeness.DIFFERENT, "They ask different databases."
    if compared.queries is QueryLikeness.IDENTICAL:
        return Likeness.IDENTICAL, f"The queries are the same.{_rows(compared.same_rows)}"
    if compared.queries is QueryLikeness.EQUIVALENT:
        how = "The queries differ only in names and in the order of what has none."
        return Likeness.EQUIVALENT, how + _rows(compared.same_rows)
    if not mine & theirs:
        return Likeness.DIFFERENT, f"No table is in both: {_named(mine)} here, {_named(theirs)} there."
    parts = " and ".join(part.part for part in compared.differences) or "their structure"
    if mine == theirs and compared.same_rows:
        return Likeness.EQUIVALENT, f"They read the same tables and gave the same rows; they differ in {parts}."
    return Likeness.SIMILAR, f"Both read {_named(mine & theirs)}; they differ in {parts}.{_rows(compared.same_rows)}"


def _rows(same: bool | None) -> str:
    return {True: " They gave the same rows.", False: " They gave other rows.", None: ""}[same]


def _tables(proof: Proof) -> Set[str]:
    return {part.name.lower() for part in proof.tables}


def _named(tables: Set[str]) -> str:
    shown = sorted(tables)[:_MOST_NAMED]
    more = len(tables) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else "none"
