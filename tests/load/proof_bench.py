"""What a proof costs beside sqlglot's own parse and qualify, in catalogs of any size; and what is kept prepared.

    python tests/load/proof_bench.py [FOLDER]

FOLDER (default $BASEJUMP_EVAL_DATA) holds `questions/`; without it the queries of tests/queries are proved. Also called
by bench.py. Memory is that of a process of its own, before and after.
"""

import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from basejump_connection_indexer.domain.guard import guard_catalog
from basejump_connection_indexer.prepared import PreparedCatalog
from basejump_sqlguard import Catalog, CatalogTable, Policy, prove
from eval_sqlguard import lines, read_catalogs
from large_catalogs import kept_tables
from proof_samples import SHOP, own_queries, parse_and_qualify, plain_schema, seconds

Line = tuple[str, float, str, float | None]
"""Name, value, unit, and the aim: at most."""

Query = tuple[str, Catalog]
FEW, MANY, COLUMNS = 100, 10_000, 20
LARGEST = 20
"""Of the evaluation data, the schemas with most queries are proved in catalogs of two sizes."""
_POLICY = Policy(row_limit=1_000_000)


def measure(folder: Path | None = None) -> Iterator[Line]:
    """Times of proofs, then memory; about a minute. Says so where the evaluation data isn't there."""
    folder = folder or Path(os.environ.get("BASEJUMP_EVAL_DATA", ""))
    golds = folder / "questions/train.jsonl.gz"
    if golds.exists():
        queries = _golds(golds, folder / "questions/train_databases.sql.gz")
    else:
        print("The evaluation data isn't here (BASEJUMP_EVAL_DATA): the queries of tests/queries are proved instead.")
        queries = [(sql, SHOP) for sql in own_queries()] * 10
    yield from _times(queries, 0.6 if golds.exists() else None)
    yield _growth(queries)
    about = f"{MANY:,} tables and {MANY * COLUMNS:,} columns"
    yield f"memory of a prepared catalog of {about}", _memory("prepared"), "MB", 150
    yield "  of that, for proofs", _memory("guard"), "MB", None


def _golds(golds: Path, dump: Path) -> list[Query]:
    catalogs = read_catalogs(dump)
    return [(case["gold"], catalogs[case["schema"]]) for case in lines(golds)]


def _times(queries: Sequence[Query], aim: float | None) -> Iterator[Line]:
    """`aim`, in milliseconds, is for the gold queries; those of tests/queries are longer."""
    schemas = {id(catalog): plain_schema(catalog) for _, catalog in queries}
    proofs, baseline = [], []
    for sql, catalog in [*queries[:100], *queries]:
        schema = schemas[id(catalog)]
        baseline.append(seconds(lambda: parse_and_qualify(sql, schema)))  # noqa: B023 - called at once
        proofs.append(seconds(lambda: prove(sql, "postgres", catalog, _POLICY)))  # noqa: B023 - called at once
    proofs, baseline = proofs[100:], baseline[100:]
    p50, p99 = (statistics.quantiles(proofs, n=100)[place] for place in (49, 98))
    yield f"a proof, p50 of {len(proofs):,}", p50 * 1e3, "ms", aim
    yield "a proof, p99", p99 * 1e3, "ms", None
    yield "proofs per second of one core", len(proofs) / sum(proofs), "/s", None
    yield "sqlglot's parse and qualify of the same, p50", statistics.median(baseline) * 1e3, "ms", None
    yield "  a proof takes times that", p50 / statistics.median(baseline), "x", 3


def _growth(queries: Sequence[Query]) -> Line:
    """The same queries among few other tables and among many."""
    catalogs = {id(catalog): catalog for _, catalog in queries}
    often = {key for key, _ in Counter(id(catalog) for _, catalog in queries).most_common(LARGEST)}
    chosen = [(sql, catalog) for sql, catalog in queries if id(catalog) in often]
    others = guard_catalog(kept_tables(MANY, COLUMNS)).tables()
    few, many = ({key: _among(catalogs[key], others[:size]) for key in often} for size in (FEW, MANY))
    spent = [0.0, 0.0]
    for _ in range(2):  # the first round prepares the tables that the queries name
        spent = [0.0, 0.0]
        for sql, catalog in chosen:
            for size, padded in enumerate((few, many)):
                among = padded[id(catalog)]
                spent[size] += seconds(lambda: prove(sql, "postgres", among, _POLICY), time.process_time)  # noqa: B023
    return f"  a proof in a catalog of {MANY:,} tables, times one of {FEW}", spent[1] / spent[0], "x", 1.2


def _among(catalog: Catalog, others: Sequence[CatalogTable]) -> Catalog:
    own = catalog.tables()
    return Catalog([*own, *others[: len(others) - len(own)]], catalog.default_schemas)


def _memory(what: str) -> float:
    """Megabytes that a process grows by, keeping that."""
    output = subprocess.run(
        [sys.executable, __file__, "--memory", what], check=True, capture_output=True, text=True
    ).stdout
    return float(output)


def _grown_by(what: str) -> float:
    before = _resident()
    tables = kept_tables(MANY, COLUMNS)
    prepared = PreparedCatalog(1, tables) if what == "prepared" else None
    catalog = guard_catalog(tables) if prepared is None else prepared.guard
    del tables
    for table in catalog.tables():  # as when every table has been asked about
        catalog.prepared(table)
    return _resident() - before


def _resident() -> float:
    found = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in found if line.startswith("Pss:")) / 1024


def _main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["--memory"]:
        print(_grown_by(arguments[1]))
        return
    for name, value, unit, aim in measure(Path(arguments[0]) if arguments else None):
        print(f"{name:<64}{value:>10.2f} {unit:<8}" + ("" if aim is None else f"   aim: at most {aim:g} {unit}"))


if __name__ == "__main__":
    _main(sys.argv[1:])
