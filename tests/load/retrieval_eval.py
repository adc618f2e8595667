"""How often are all the tables that a question needs among the first ten? On the questions of Spider's training set.

    python tests/load/retrieval_eval.py [folder with train_catalog.jsonl.gz and train_questions.jsonl.gz]

Without an argument the folder is $BASEJUMP_EVAL_DATA/retrieval.
"""

import gzip
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from basejump_connection_indexer.domain.definition import (
    ColumnDefinition,
    IndexedTable,
    KeyDefinition,
    TableDefinition,
    TableNotes,
)
from basejump_connection_indexer.domain.retrieval import RetrievalIndex

FIRST = 10


def measure(folder: Path) -> dict[str, float]:
    """Shares from 0 to 1, and milliseconds for a question."""
    index = RetrievalIndex([_table(entry) for entry in _lines(folder / "train_catalog.jsonl.gz")])
    questions = list(_lines(folder / "train_questions.jsonl.gz"))
    found = {}
    for field in ("question", "paraphrase"):
        asked = [entry for entry in questions if entry.get(field)]
        started = time.perf_counter()
        complete = [_complete(index, entry, entry[field]) for entry in asked]
        found[f"{field}: complete@{FIRST}"] = sum(complete) / len(asked)
        found[f"{field}: milliseconds"] = (time.perf_counter() - started) / len(asked) * 1000
    return found


def _complete(index: RetrievalIndex, entry: dict[str, Any], question: str) -> bool:
    best = index.rank(question, FIRST).tables
    names = {(ranked.table.definition.schema, ranked.table.definition.name.lower()) for ranked in best}
    return all((entry["db"], table.lower()) in names for table in entry["gold_tables"])


def _table(entry: dict[str, Any]) -> IndexedTable:
    columns = tuple(ColumnDefinition(c["name"], c["type"], c["type"] == "text") for c in entry["columns"])
    keys = tuple(KeyDefinition((own,), entry["db"], table, (other,)) for own, table, other in entry["foreign_keys"])
    definition = TableDefinition(
        schema=entry["db"], name=entry["table"], kind="table", columns=columns, foreign_keys=keys
    )
    return IndexedTable(tbl_uuid=uuid4(), definition=definition, notes=TableNotes())


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path) as file:
        for line in file:
            yield msgspec.json.decode(line)


def main() -> int:
    """Print the figures; 0 also when the data isn't there, since it isn't part of this repository."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BASEJUMP_EVAL_DATA", "") + "/retrieval"
    folder = Path(given)
    if not (folder / "train_catalog.jsonl.gz").exists():
        print("no evaluation data: name the folder that has train_catalog.jsonl.gz, or set BASEJUMP_EVAL_DATA")
        return 0
    for name, value in measure(folder).items():
        print(f"{name:32} {value:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
