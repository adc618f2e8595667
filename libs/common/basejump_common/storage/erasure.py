"""Erasing a client from a service's schema: the catalogue says where its rows are, so that no table is forgotten."""

from collections.abc import Sequence
from graphlib import TopologicalSorter
from uuid import UUID

from basejump_common.storage import idempotency, outbox
from basejump_common.storage.database import Transaction, check_identifier

_TABLES = """
    select relname from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'client_uuid'
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
"""
_REFERENCES = """
    select source.relname as source, target.relname as target from pg_constraint
    join pg_class source on source.oid = conrelid join pg_class target on target.oid = confrelid
    where contype = 'f' and connamespace = current_schema()::regnamespace and conrelid <> confrelid
"""


async def erase_rows(tx: Transaction, client_uuid: UUID) -> int:
    """Delete every row of the client in this schema, jobs and waiting events included; how many. Needs its tenant."""
    count = await outbox.forget_client(tx, client_uuid) + await idempotency.forget_client(tx, client_uuid)
    for table in await _tables(tx):
        count += await tx.execute(f"delete from {check_identifier(table)} where client_uuid = $1", client_uuid)  # noqa: S608 - checked
    return count


async def _tables(tx: Transaction) -> Sequence[str]:
    """Those that have a client in their rows, each before the tables that it references."""
    known = {row["relname"] for row in await tx.fetch(_TABLES)}
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(known, ()))
    for row in await tx.fetch(_REFERENCES):
        if {row["source"], row["target"]} <= known:
            order.add(row["target"], row["source"])
    return tuple(order.static_order())
