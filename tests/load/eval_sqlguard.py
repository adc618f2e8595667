"""Measures the proof against the shared evaluation data; says so when that data isn't there.

Run: `python -m tests.load.eval_sqlguard DATA [guard|gold|mutated|corrupted]…` where DATA is the folder that holds
`guard/`, `questions/` and `validator/`. Catalogs come from the CREATE TABLE statements of the dump, so no server is
needed; with `PGURL` set the regenerated golds are also run and their rows compared with the gold's. How fast proofs
are is measured by proof_bench.py.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
from msgspec import structs
from sqlglot import exp
from sqlglot import parse as parse_sql

from basejump_sqlguard import Catalog, CatalogColumn, CatalogKey, CatalogTable, Policy, Proof, Refusal, prove

_TABLE = re.compile(r"CREATE TABLE (\w+)\.(\S+) \(\n(.*?)\n\);", re.DOTALL)
_PRIMARY = re.compile(r"ALTER TABLE ONLY (\w+)\.(\S+)\n\s+ADD CONSTRAINT \S+ PRIMARY KEY \((.*?)\);")
_FOREIGN = re.compile(
    r"ALTER TABLE ONLY (\w+)\.(\S+)\n\s+ADD CONSTRAINT \S+ FOREIGN KEY \((.*?)\) REFERENCES (\w+)\.(\S+)\((.*?)\)"
)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines of a file, gzipped or not."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return (json.loads(line) for line in text.splitlines())


def read_catalogs(dump: Path) -> dict[str, Catalog]:
    """One catalog per schema of a pg_dump file."""
    text = gzip.decompress(dump.read_bytes()).decode()
    primary = {(s, _bare(t)): _names(columns) for s, t, columns in _PRIMARY.findall(text)}
    foreign: dict[tuple[str, str], list[CatalogKey]] = defaultdict(list)
    for s, t, own, schema, table, others in _FOREIGN.findall(text):
        key = CatalogKey(
            columns=_names(own),
            references_schema=schema,
            references_table=_bare(table),
            references_columns=_names(others),
        )
        foreign[s, _bare(t)].append(key)
    tables: dict[str, list[CatalogTable]] = defaultdict(list)
    for schema, table, body in _TABLE.findall(text):
        name = _bare(table)
        columns = tuple(_column(line) for line in body.split("\n"))
        tables[schema].append(
            CatalogTable(
                schema=schema,
                name=name,
                columns=columns,
                primary_key=primary.get((schema, name), ()),
                foreign_keys=tuple(foreign[schema, name]),
            )
        )
    return {schema: Catalog(found, [schema]) for schema, found in tables.items()}


def _bare(name: str) -> str:
    return name.strip().strip('"')


def _names(text: str) -> tuple[str, ...]:
    return tuple(_bare(part) for part in text.split(","))


def _column(line: str) -> CatalogColumn:
    match = re.match(r'\s*("[^"]+"|\w+)\s+(.*?)(?: NOT NULL| DEFAULT .*)?,?$', line)
    assert match, line
    return CatalogColumn(name=_bare(match[1]), type=match[2])


def permissive(sql: str, dialect: str) -> Catalog:
    """Every table and column that a statement names, each table with all the columns."""
    tree = parse_sql(sql, read=dialect)[0]
    assert tree is not None
    columns = tuple(dict.fromkeys(c.name for c in tree.find_all(exp.Column) if c.name and c.name != "*"))
    known = tuple(CatalogColumn(name=name) for name in columns) or (CatalogColumn(name="x"),)
    seen: dict[tuple[str, str], CatalogTable] = {}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            schema = ".".join(part for part in (table.catalog, table.db) if part)
            seen[schema, table.name] = CatalogTable(schema=schema, name=table.name, columns=known)
    return Catalog(list(seen.values()))


def guard(data: Path) -> None:
    """Verdicts on the guard corpus, with a permissive catalog and without any."""
    for kind in ("with a permissive catalog", "without a catalog"):
        wrong = Counter[str]()
        total = Counter[str]()
        for case in lines(data / "guard/guard.jsonl"):
            allow = case["verdict"] == "allow"
            catalog = permissive(case["sql"], case["dialect"]) if allow and "permissive" in kind else None
            if not allow and "permissive" in kind:
                catalog = Catalog([])
            result = prove(case["sql"], case["dialect"], catalog)
            total[case["verdict"]] += 1
            if isinstance(result, Proof) != allow:
                wrong[case["verdict"]] += 1
                print("  WRONG", case["id"], case["sql"], result if isinstance(result, Refusal) else result.sql)
        print(f"guard {kind}: of {dict(total)} wrong {dict(wrong)}")


def gold(data: Path, catalogs: dict[str, Catalog]) -> None:
    """How many golds are proved, and why not; and whether the regenerated SQL gives the same rows."""
    refused: Counter[str] = Counter()
    unproved: Counter[str] = Counter()
    proofs: list[tuple[str, str, str]] = []
    cases = list(lines(data / "questions/train.jsonl.gz"))
    for case in cases:
        result = prove(case["gold"], "postgres", catalogs[case["schema"]], Policy(row_limit=10**9))
        if isinstance(result, Refusal):
            refused[result.code] += 1
            print("  REFUSED", case["schema"], case["gold"], "|", result.reason, result.suggestions)
        else:
            proofs.append((case["schema"], case["gold"], result.sql))
            unproved["joins"] += not all(j.proved for j in result.joins)
            unproved["fan-out"] += any(j.fan_out for j in result.joins)
    print(f"golds: {len(cases)}, refused {dict(refused)}, with unproved parts {dict(unproved)}")
    url = os.environ.get("PGURL")
    if url:
        asyncio.run(_compare_rows(url, proofs))
    else:
        print("rows not compared: PGURL isn't set")


async def _compare_rows(url: str, proofs: list[tuple[str, str, str]]) -> None:
    connection = await asyncpg.connect(url)
    different = failed = 0
    try:
        for schema, original, final in proofs:
            await connection.execute(f'SET search_path = "{schema}"')
            expected = await connection.fetch(original)
            await connection.execute("SET search_path = ''")
            try:
                rows = await connection.fetch(final)
            except asyncpg.PostgresError as error:
                failed += 1
                print("  FAILED", schema, original, "|", final, "|", error)
                continue
            ordered = "ORDER BY" in original.upper()
            same = _rows(expected, ordered=False) == _rows(rows, ordered=False)
            if not same:
                different += 1
                print("  ROWS DIFFER", schema, ordered, original, "|", final)
    finally:
        await connection.close()
    print(f"rows: {len(proofs)} compared, {different} differ, {failed} failed")


def _rows(records: list[asyncpg.Record], *, ordered: bool) -> list[str]:
    rows = [repr(tuple(record)) for record in records]
    return rows if ordered else sorted(rows)


def mutated(data: Path, catalogs: dict[str, Catalog]) -> None:
    """Each gold with one of its tables or columns renamed, or a column of it ignored: none may be proved."""
    seen: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for case in lines(data / "questions/train.jsonl.gz"):
        catalog = catalogs[case["schema"]]
        tables = {name for full in case["gold_tables"] for name in [full.rpartition(".")[2]]}
        changes = [("table renamed", _without(catalog, table, None)) for table in tables]
        for full in case["gold_columns"]:
            table, _, column = full.rpartition(".")
            changes.append(("column gone", _without(catalog, table, column)))
            changes.append(("column ignored", _without(catalog, table, column, ignored=True)))
        for kind, changed in changes:
            seen[kind] += 1
            if isinstance(prove(case["gold"], "postgres", changed), Proof):
                passed[kind] += 1
                print("  PASSED", kind, case["gold"])
    print(f"mutated golds: {dict(seen)}; not refused {dict(passed)}")


def _without(catalog: Catalog, table: str, column: str | None, *, ignored: bool = False) -> Catalog:
    """The catalog without that table or column, or with the column ignored."""
    changed: list[CatalogTable] = []
    for found in catalog.tables():
        if found.name == table and column is None:
            continue
        columns = found.columns
        if found.name == table and ignored:
            columns = tuple(structs.replace(c, ignored=c.ignored or c.name == column) for c in columns)
        elif found.name == table:
            columns = tuple(c for c in columns if c.name != column)
        changed.append(structs.replace(found, columns=columns))
    return Catalog(changed, catalog.default_schemas)


def corrupted(data: Path, catalogs: dict[str, Catalog]) -> None:
    """Refusals of broken golds by kind; what passes must fail in EXPLAIN."""
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    golds_refused = 0
    for case in lines(data / "validator/corrupted.jsonl.gz"):
        catalog = catalogs[case["schema"]]
        total[case["mutation"]] += 1
        golds_refused += isinstance(prove(case["gold"], "postgres", catalog), Refusal)
        result = prove(case["sql"], "postgres", catalog)
        if isinstance(result, Proof):
            passed[case["mutation"]] += 1
            if case["mutation"] not in ("ungrouped_column", "type_mismatch"):
                print("  PASSED", case["mutation"], case["sql"], "|", case["pg_error"])
    print(f"corrupted: {dict(total)}; not refused {dict(passed)}; golds refused {golds_refused}")


def main(arguments: list[str]) -> int:
    data = Path(arguments[0]) if arguments else Path()
    if not (data / "guard/guard.jsonl").exists():
        print("The evaluation data isn't there; give its folder as the first argument. Nothing was measured.")
        return 0
    parts = arguments[1:] or ["guard", "gold", "mutated", "corrupted"]
    if "guard" in parts:
        guard(data)
    if {"gold", "mutated", "corrupted"} & set(parts):
        catalogs = read_catalogs(data / "questions/train_databases.sql.gz")
        if "gold" in parts:
            gold(data, catalogs)
        if "mutated" in parts:
            mutated(data, catalogs)
        if "corrupted" in parts:
            corrupted(data, catalogs)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
