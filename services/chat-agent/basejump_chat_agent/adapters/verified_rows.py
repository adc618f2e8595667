"""SQL of verified results. Every function takes the tenant's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import Ground, Proof, ResultColumn, RunResult
from basejump_common.security.principal import Role
from basejump_common.storage.database import Transaction

MOST_CANDIDATES = 200
"""Newest first; more with one signature over one database are not looked at."""

_CANDIDATES = """
    select * from result where verified and db_uuid = $1 and signature = $2 and found_by <> ''
    order by created_at desc, result_uuid desc limit $3
"""
_STANDS = "select true from result where result_uuid = $1 and verified for share"
_STANDING = """
    select result_uuid, prompt_uuid, verified_user_role from result
    where result_uuid = $1 and ($2::uuid is null or user_uuid = $2) for update
"""
_VERIFY = """
    update result set verified = true, verified_user_role = $2, verified_user_uuid = $3 where result_uuid = $1
"""
# With all that came from them, whoever verified it since.
_UNVERIFY = """
    with recursive fallen (result_uuid) as (
        select result_uuid from result where result_uuid = any($1::uuid[])
        union select result.result_uuid from result join fallen on result.came_from = fallen.result_uuid
    )
    update result set verified = false, verified_user_role = null, verified_user_uuid = null
    where verified and result_uuid in (select result_uuid from fallen) returning result_uuid, prompt_uuid
"""
_RESTING_ON = """
    select result_uuid from result
    where verified and db_uuid = $1 and ($2::text[] is null or rests_on && $2) for update
"""
_TELL = """
    update prompt set message = message || jsonb_build_object('verified', $2::boolean,
        'verified_user_role', $3::text, 'verified_user_uuid', $4::uuid)
    where prompt_uuid = any($1::uuid[]) and message ->> 'result_uuid' is not null
"""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a verified result that answers other questions. `found_by`: its question."""

    result_uuid: UUID
    found_by: str
    reading: str
    dialect: str
    sql_query: str
    verified_user_role: Role
    verified_user_uuid: UUID
    schema_print: str
    logical_sql: str

    @property
    def statement(self) -> str:
        """As any login of the database may be asked it: with the schemas' names of the index."""
        return self.logical_sql or self.sql_query

    def rests_on(self, ground: Ground) -> bool:
        """Whether its tables are still what they were; of old results that isn't known."""
        return self.schema_print in ("", ground.schema)


class Verified(Served, frozen=True, kw_only=True):
    """A verified result as the cache knows it. `fresh_at`: when its rows were fetched."""

    team_uuid: UUID
    conn_uuid: UUID
    db_uuid: UUID
    run_uuid: UUID
    permissions_print: str
    columns: tuple[ResultColumn, ...]
    row_num_total: int
    truncated: bool
    preview: tuple[tuple[Any, ...], ...]
    bytes: int
    fresh_at: datetime

    def rows_under(self, proof: Proof, ground: Ground) -> RunResult:
        """Its rows, as those of a statement that was proved again."""
        return RunResult(
            run_uuid=self.run_uuid,
            columns=self.columns,
            row_count=self.row_num_total,
            truncated=self.truncated,
            preview=self.preview,
            bytes=self.bytes,
            database_seconds=0.0,
            proof=proof,
            ground=ground,
        )


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has said of a result."""

    result_uuid: UUID
    prompt_uuid: UUID
    verified_user_role: Role | None = None


async def stands(tx: Transaction, result_uuid: UUID) -> bool:
    """Whether the result is verified, and stays so until `tx` ends."""
    return await tx.fetchval(_STANDS, result_uuid) is not None


async def candidates(tx: Transaction, db_uuid: UUID, signature: str) -> list[Verified]:
    """Those over the database whose question may mean the same as one with this signature."""
    return await tx.rows(Verified, _CANDIDATES, db_uuid, signature, MOST_CANDIDATES)


async def standing(tx: Transaction, result_uuid: UUID, user_uuid: UUID | None) -> Standing | None:
    """Of the user's result, locked; of any user's when `user_uuid` is None."""
    return await tx.row(Standing, _STANDING, result_uuid, user_uuid)


async def verify(tx: Transaction, standing: Standing, role: Role, user_uuid: UUID) -> None:
    """Say so, also in the message that told the result."""
    await tx.execute(_VERIFY, standing.result_uuid, role, user_uuid)
    await tx.execute(_TELL, [standing.prompt_uuid], True, role, user_uuid)


async def unverify(tx: Transaction, result_uuids: Sequence[UUID]) -> list[UUID]:
    """Take it back, and all that came from it; those that were verified until now."""
    fallen = await tx.fetch(_UNVERIFY, list(result_uuids))
    await tx.execute(_TELL, [row["prompt_uuid"] for row in fallen], False, None, None)
    return [row["result_uuid"] for row in fallen]


async def resting_on(tx: Transaction, db_uuid: UUID, tables: Sequence[str] | None) -> list[UUID]:
    """Verified results over the database that rest on one of the tables; None: on whatever."""
    rows = await tx.fetch(_RESTING_ON, db_uuid, None if tables is None else list(tables))
    return [row["result_uuid"] for row in rows]
