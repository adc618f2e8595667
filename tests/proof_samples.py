"""The project's own queries, as the tests and the bench of proofs take them, and sqlglot's time for the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlglot import parse_one
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify

from basejump_sqlguard import Catalog
from sqlguard_world import table

QUERIES = Path(__file__).with_name("queries")

SHOP = Catalog(
    [
        table("customer", "id:int4 full_name city joined:date photo:bytea", schema="shop"),
        table(
            "purchase",
            "id:int8 customer_id:int4 total:numeric placed_at:timestamp",
            schema="shop",
            references={"customer_id": "customer"},
        ),
        table("big_purchase", "id:int8 customer_id:int4 total:numeric placed_at:timestamp", schema="shop", key=()),
        table("city", "city customers:int8", schema="shop", key=()),
        table("event", "id:int4 happened:date", schema="shop", key=()),
        table("feelings", "id:int4 mood:shop.mood", schema="shop"),
    ],
    default_schemas=["shop"],
)
"""What the queries in `queries/` are about, without the table whose names have to be quoted."""


def own_queries() -> list[str]:
    """The statements for PostgreSQL in `queries/`."""
    lines = [line for file in ("both.txt", "postgres.txt") for line in (QUERIES / file).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("## ") and '"' not in line]


def plain_schema(catalog: Catalog) -> dict[str, object]:
    """A catalog as sqlglot's `qualify` takes it."""
    return {table.name: {column.name: "text" for column in table.columns} for table in catalog.tables()}


def parse_and_qualify(sql: str, schema: dict[str, object]) -> None:
    """What a proof begins with, by sqlglot: the yardstick of the same minute."""
    tree = parse_one(sql, read="postgres")
    with suppress(OptimizeError):  # it fails on some queries that PostgreSQL accepts
        qualify(tree, dialect="postgres", schema=schema)


def seconds(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long a call takes by a clock."""
    started = clock()
    call()
    return clock() - started
