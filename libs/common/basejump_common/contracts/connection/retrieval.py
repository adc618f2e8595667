"""What a question is about: tables, and values in them. For chat-agent."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.connection.tables import Table
from basejump_common.contracts.operation import Operation
from basejump_common.errors import Forbidden, NotFound, Unavailable
from basejump_common.security.principal import Role

Question = Annotated[str, Meta(min_length=1, max_length=4_000)]


class Retrieve(msgspec.Struct, frozen=True, kw_only=True):
    """The tables a question is about, over the best connection among those granted to the team.

    `db_uuid`: only connections to this database, because the person has chosen it; then nothing is `tied`.
    """

    team_uuid: UUID
    question: Question
    db_uuid: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 12


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A database that fits as well as the best one."""

    db_uuid: UUID
    database_name_alias: str
    score: float


class Retrieved(msgspec.Struct, frozen=True, kw_only=True):
    """Tables best first, whole, over one connection; no `conn_uuid`: nothing is granted, or nothing is indexed yet.

    `functions` are those that queries may call because an admin says so. `tied` are other databases that fit equally
    well; `waiting_for` granted databases whose first index is not
    finished; `failed` says, a line each, why a granted database has no index.
    """

    conn_uuid: UUID | None = None
    db_uuid: UUID | None = None
    database_name_alias: str | None = None
    dialect: str = "postgres"
    tables: tuple[Table, ...] = ()
    functions: tuple[str, ...] = ()
    tied: tuple[Candidate, ...] = ()
    waiting_for: tuple[UUID, ...] = ()
    failed: tuple[str, ...] = ()


class FindValues(msgspec.Struct, frozen=True, kw_only=True):
    """Are these phrases values of text columns of these tables? Looked up in the customer's database, kept nowhere.

    `closest`: for those that aren't, the values that are like them.
    """

    conn_uuid: UUID
    team_uuid: UUID
    tbl_uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=50)]
    phrases: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=50)]
    closest: bool = False


class Likeness(StrEnum):
    """How a stored value is like a phrase: equal but for case, in nothing but form (case, accents, number), or near
    (a typo, or words of it)."""

    EQUAL = "equal"
    FORM = "form"
    NEAR = "near"


class FoundValue(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is the stored spelling of `phrase`, or of what was perhaps meant."""

    phrase: str
    schema_name: str
    table_name: str
    column_name: str
    value: str
    likeness: Likeness = Likeness.EQUAL


class FoundValues(msgspec.Struct, frozen=True, kw_only=True):
    """`complete` is False when time ran out before every column was asked."""

    data: tuple[FoundValue, ...]
    complete: bool = True


RETRIEVE = Operation(
    "basejump.v1.connection.retrieve",
    takes=Retrieve,
    gives=Retrieved,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(Forbidden, NotFound),
)
FIND_VALUES = Operation(
    "basejump.v1.connection.values.find",
    takes=FindValues,
    gives=FoundValues,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound, Unavailable),
)
