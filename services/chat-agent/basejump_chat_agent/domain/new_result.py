"""What came of a question and is to be kept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from basejump_chat_agent.domain.charts import Visual
from basejump_common.contracts.chat import ResultType
from basejump_common.contracts.connection import ResultColumn, RunResult
from basejump_common.security.principal import Role


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a verified answer: who verified the one that they came from, and when they were fetched."""

    came_from: UUID
    role: Role
    user_uuid: UUID
    reading: str
    conn_uuid: UUID
    ran: RunResult
    fresh_at: datetime


class NewResult(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run and what it means: `subtitle` the question as it was understood, `description` the answer.

    `question` is the one by which it may be found again once it is verified, empty when there is none; `recalled` what
    it came from, when that was verified.
    """

    result_uuid: UUID
    conn_uuid: UUID
    db_uuid: UUID
    subtitle: str
    description: str
    ran: RunResult
    visual: Visual = Visual()
    question: str = ""
    dialect: str = ""
    recalled: Recalled | None = None

    @property
    def result_type(self) -> ResultType:
        """Of the run."""
        return result_type(self.ran.row_count, self.ran.columns)


def result_type(row_count: int, columns: Sequence[ResultColumn]) -> ResultType:
    """1×1 is a metric, 1×n a record, everything else a dataset."""
    if row_count != 1:
        return ResultType.DATASET
    return ResultType.METRIC if len(columns) == 1 else ResultType.RECORD
