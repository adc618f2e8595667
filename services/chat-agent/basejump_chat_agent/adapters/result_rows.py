"""SQL of results. Every function takes the tenant's transaction; `user_uuid` None means: of any user of the client."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from basejump_chat_agent.access import reading_scope
from basejump_chat_agent.domain.charts import Visual
from basejump_chat_agent.domain.new_result import NewResult, Recalled, result_type
from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.domain.verified.rights import verifies
from basejump_chat_agent.domain.verified.wording import said_as, signature, words_of
from basejump_common.contracts.connection import RanUnder, RunResult
from basejump_common.contracts.result import Result, UpdateResult
from basejump_common.security.principal import Principal, Role
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

# With what it is found by once it is verified; one that came from a verified result is so at once.
_INSERT = """
    insert into result (result_uuid, client_uuid, user_uuid, team_uuid, chat_uuid, prompt_uuid, run_uuid, conn_uuid,
                        db_uuid, result_title, result_subtitle, result_description, sql_query, result_type, columns,
                        row_num_total, truncated, preview, bytes, proof, visual_json, visual_explanation,
                        reading, found_by, signature, dialect, rests_on,
                        came_from, verified, verified_user_role, verified_user_uuid, fresh_at, said_as,
                        schema_print, permissions_print, logical_sql)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $11, $23, $24, $25, $26, $27, $27::uuid is not null, $28, $29, coalesce($30, now()), $31, $32, $33, $34)
"""
# `read_for`: the teams under whose grants the reader may read it, as far as is known here. What somebody shares with a
# team may be for any of its members: who is one is looked at with the grant.
_SHARED = """
    array(select distinct shared.team_uuid from saved_result shared
          where shared.result_uuid = result.result_uuid and shared.share_w_team limit 20)
"""
_READABLE = f"""
    select * from (
        select *, case when $2::uuid is null or user_uuid = $2 then array[team_uuid] || {_SHARED} else {_SHARED} end
            as read_for
        from result where result_uuid = any($1)
    ) found where cardinality(read_for) > 0
"""  # noqa: S608 - a constant
_UPDATE = """
    update result set result_title = coalesce($3, result_title), result_subtitle = coalesce($4, result_subtitle),
                      result_description = coalesce($5, result_description), described = described or $5 is not null
    where result_uuid = $1 and ($2::uuid is null or user_uuid = $2)
"""
_REFRESH = """
    update result set run_uuid = $3, columns = $4, row_num_total = $5, truncated = $6, preview = $7, bytes = $8,
                      proof = $9, visual_json = $10, visual_explanation = $11, result_description = $12,
                      result_type = $13, sql_query = $14, schema_print = $15, permissions_print = $16,
                      logical_sql = $17,
                      refreshed_at = now(), fresh_at = now()
    where result_uuid = $1 and run_uuid = $2
"""
_DELETE = """
    delete from result where result_uuid = $1 and ($2::uuid is null or user_uuid = $2) returning run_uuid
"""
_LIST = """
    select *, array[team_uuid] as read_for from result
    where ($1::uuid is null or user_uuid = $1) and ($2::boolean is null or verified = $2)
    and (created_at, result_uuid) < ($3, $4)
    order by created_at desc, result_uuid desc limit $5
"""


class StoredResult(Result, frozen=True, kw_only=True):
    """A result, the run that gave it, and the team for which it is read."""

    conn_uuid: UUID
    team_uuid: UUID
    user_uuid: UUID
    run_uuid: UUID
    prompt_uuid: UUID
    bytes: int
    described: bool
    schema_print: str
    permissions_print: str
    logical_sql: str
    read_for: tuple[UUID, ...]

    @property
    def ran_under(self) -> tuple[RanUnder, ...]:
        """Whoever has none of these grants any more, or could not run the statement any more, may not read it."""
        return tuple(
            RanUnder(conn_uuid=self.conn_uuid, team_uuid=team_uuid, run_uuid=self.run_uuid)
            for team_uuid in self.read_for
        )

    def as_result(self, reader: Principal) -> Result:
        """The contract's struct, as that caller reads it."""
        can_verify = reading_scope(reader) in (None, self.user_uuid) and verifies(reader.role, self.verified_user_role)
        told = msgspec.convert(self, Result, from_attributes=True)
        return msgspec.structs.replace(told, can_verify=can_verify)


def with_rows(kept: StoredResult, ran: RunResult, description: str, visual: Visual) -> StoredResult:
    """The result with the rows of another run of its statement."""
    return msgspec.structs.replace(
        kept,
        run_uuid=ran.run_uuid,
        columns=ran.columns,
        row_num_total=ran.row_count,
        truncated=ran.truncated,
        preview=ran.preview,
        bytes=ran.bytes,
        proof=ran.proof,
        sql_query=ran.proof.sql,
        result_type=result_type(ran.row_count, ran.columns),
        result_description=description,
        visual_json=visual.figure,
        visual_explanation=visual.explanation,
        schema_print=ran.ground.schema,
        permissions_print=ran.ground.permissions,
        logical_sql=ran.ground.sql,
    )


async def insert(tx: Transaction, prompt: Prompt, new: NewResult) -> None:
    """Keep the result of a prompt."""
    words = words_of(new.question)
    await tx.execute(
        _INSERT,
        new.result_uuid,
        prompt.client_uuid,
        prompt.user_uuid,
        prompt.team_uuid,
        prompt.chat_uuid,
        prompt.prompt_uuid,
        new.ran.run_uuid,
        new.conn_uuid,
        new.db_uuid,
        prompt.question[:200],
        new.subtitle,
        new.description,
        new.ran.proof.sql,
        new.result_type,
        new.ran.columns,
        new.ran.row_count,
        new.ran.truncated,
        new.ran.preview,
        new.ran.bytes,
        new.ran.proof,
        new.visual.figure,
        new.visual.explanation,
        new.question,
        signature(words),
        new.dialect,
        sorted({part.name.rpartition(".")[2].lower() for part in new.ran.proof.tables}),
        *((None, None, None, None) if new.recalled is None else _origin(new.recalled)),
        said_as(words),
        new.ran.ground.schema,
        new.ran.ground.permissions,
        new.ran.ground.sql,
    )


def _origin(recalled: Recalled) -> tuple[UUID, Role, UUID, datetime]:
    return recalled.came_from, recalled.role, recalled.user_uuid, recalled.fresh_at


async def readable(tx: Transaction, result_uuids: Sequence[UUID], user_uuid: UUID | None) -> list[StoredResult]:
    """Those that are the user's, or shared with some team."""
    return await tx.rows(StoredResult, _READABLE, list(result_uuids), user_uuid)


async def update(tx: Transaction, request: UpdateResult, user_uuid: UUID | None) -> bool:
    """Whether there is one of the user's."""
    words = (request.result_title, request.result_subtitle, request.result_description)
    given = (None if word is UNSET else word for word in words)
    return await tx.execute(_UPDATE, request.result_uuid, user_uuid, *given) == 1


async def refresh(tx: Transaction, renewed: StoredResult, before: UUID) -> bool:
    """Put the new rows in the place of those of the run `before`; False when they aren't there any more."""
    updated = await tx.execute(
        _REFRESH,
        renewed.result_uuid,
        before,
        renewed.run_uuid,
        renewed.columns,
        renewed.row_num_total,
        renewed.truncated,
        renewed.preview,
        renewed.bytes,
        renewed.proof,
        renewed.visual_json,
        renewed.visual_explanation,
        renewed.result_description,
        renewed.result_type,
        renewed.sql_query,
        renewed.schema_print,
        renewed.permissions_print,
        renewed.logical_sql,
    )
    return updated == 1


async def delete(tx: Transaction, result_uuid: UUID, user_uuid: UUID | None) -> UUID | None:
    """The run whose rows it had; None when there is none of the user's. Raises asyncpg.ForeignKeyViolationError while
    it is saved."""
    run_uuid: UUID | None = await tx.fetchval(_DELETE, result_uuid, user_uuid)
    return run_uuid


async def unused(tx: Transaction, run_uuids: Sequence[UUID]) -> tuple[UUID, ...]:
    """Those of the runs that no result refers to."""
    rows = await tx.fetch(
        """
        select run_uuid from unnest($1::uuid[]) run (run_uuid)
        where not exists (select from result where result.run_uuid = run.run_uuid)
        """,
        list(run_uuids),
    )
    return tuple(row["run_uuid"] for row in rows)


async def newest(
    tx: Transaction, user_uuid: UUID | None, verified: bool | None, after: pages.Position, count: int
) -> list[StoredResult]:
    """Newest first, those before `after`; of a user, or of the client. `verified`: those that are, or aren't, alone."""
    return await tx.rows(StoredResult, _LIST, user_uuid, verified, *after, count)
