"""SQL of results. Every function takes the tenant's transaction; `user_uuid` None means: of any user of the client."""

from uuid import UUID

import msgspec

from basejump_chat_agent.domain.new_result import NewResult
from basejump_chat_agent.domain.prompt import Prompt
from basejump_common.contracts.connection import RanUnder
from basejump_common.contracts.result import Result
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

_INSERT = """
    insert into result (result_uuid, client_uuid, user_uuid, team_uuid, chat_uuid, prompt_uuid, run_uuid, conn_uuid,
                        db_uuid, result_title, result_subtitle, result_description, sql_query, result_type, columns,
                        row_num_total, truncated, preview, bytes, proof, visual_json, visual_explanation)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
"""
_LIST = """
    select * from result where ($1::uuid is null or user_uuid = $1) and (created_at, result_uuid) < ($2, $3)
    order by created_at desc, result_uuid desc limit $4
"""


class StoredResult(Result, frozen=True, kw_only=True):
    """A result, the run that gave it, and the grant under which it was asked for."""

    conn_uuid: UUID
    team_uuid: UUID
    run_uuid: UUID

    @property
    def ran_under(self) -> RanUnder:
        """Whoever lost the grant, or could not run the statement any more, may not read the result any more."""
        return RanUnder(conn_uuid=self.conn_uuid, team_uuid=self.team_uuid, run_uuid=self.run_uuid)

    def as_result(self) -> Result:
        """The contract's struct."""
        return msgspec.convert(self, Result, from_attributes=True)


async def insert(tx: Transaction, prompt: Prompt, new: NewResult) -> None:
    """Keep the result of a prompt."""
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
    )


async def get(tx: Transaction, result_uuid: UUID, user_uuid: UUID | None) -> StoredResult | None:
    """One result."""
    return await tx.row(
        StoredResult,
        "select * from result where result_uuid = $1 and ($2::uuid is null or user_uuid = $2)",
        result_uuid,
        user_uuid,
    )


async def newest(tx: Transaction, user_uuid: UUID | None, after: pages.Position, count: int) -> list[StoredResult]:
    """Newest first, those before `after`; of a user, or of the client."""
    return await tx.rows(StoredResult, _LIST, user_uuid, *after, count)
