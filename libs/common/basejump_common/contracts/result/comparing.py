"""Two results side by side."""

from enum import StrEnum
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import QueryDifference
from basejump_common.contracts.operation import Operation
from basejump_common.errors import NotFound, Unavailable
from basejump_common.security.principal import Role


class CompareResults(msgspec.Struct, frozen=True, kw_only=True):
    """Two results that the caller may read."""

    source_result_uuid: UUID
    target_result_uuid: UUID


class Likeness(StrEnum):
    """`identical`: no difference between the queries; `equivalent`: same output and tables, other structure; `similar`:
    some tables shared, other output; `different`: no table shared."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    SIMILAR = "similar"
    DIFFERENT = "different"


class ComparedResults(msgspec.Struct, frozen=True, kw_only=True):
    """How alike they are, `why` in a sentence, and part by part what only one of the queries has. `same_rows`: whether
    both have the same rows as they are kept, in any order; null where they are too many to be compared, or were cut."""

    comparison: Likeness
    why: str
    differences: tuple[QueryDifference, ...]
    same_rows: bool | None


COMPARE_RESULTS = Operation(
    "basejump.v1.result.result.compare",
    takes=CompareResults,
    gives=ComparedResults,
    allow=Role.MEMBER,
    errors=(NotFound, Unavailable),
    timeout=40.0,
)
