"""SQL of verified questions that may be near another one, and their vectors. Every function takes the tenant's
transaction."""

from collections.abc import Mapping
from uuid import UUID

from basejump_chat_agent.adapters.verified_rows import Served
from basejump_common.storage.database import Transaction

MOST_KNOWN = 200
"""Newest first; more over one database are not looked at."""

# A vector of another model says nothing about one of this.
_KNOWN = """
    select known.*, vector from (
        select distinct on (found_by) result_uuid, found_by, reading, dialect, sql_query, verified_user_role,
               verified_user_uuid, schema_print, logical_sql, created_at
        from result where verified and db_uuid = $1 and found_by <> ''
        order by found_by, created_at desc, result_uuid desc
    ) known left join question_vector on question_vector.result_uuid = known.result_uuid and model = $2
    order by created_at desc, known.result_uuid desc limit $3
"""
_KEEP = """
    insert into question_vector (result_uuid, client_uuid, model, vector)
    select result_uuid, client_uuid, $2, $3 from result where result_uuid = $1 for key share
    on conflict (result_uuid) do update set model = excluded.model, vector = excluded.vector
"""


class Known(Served, frozen=True, kw_only=True):
    """A verified result that may be near; `vector` are its question's numbers (32 bits each) by the model asked for."""

    vector: bytes | None


async def known(tx: Transaction, db_uuid: UUID, model: str) -> list[Known]:
    """Of those over the database that one question found, the newest."""
    return await tx.rows(Known, _KNOWN, db_uuid, model, MOST_KNOWN)


async def keep(tx: Transaction, model: str, vectors: Mapping[UUID, bytes]) -> None:
    """In the place of those of another model; of a result that is gone none."""
    await tx.executemany(_KEEP, [(result_uuid, model, vector) for result_uuid, vector in vectors.items()])
