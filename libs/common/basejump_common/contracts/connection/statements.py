"""Proof and running of SQL. For chat-agent."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.common import Done
from basejump_common.contracts.operation import Operation
from basejump_common.errors import (
    Canceled,
    EstimateTooHigh,
    NotFound,
    NotProved,
    QueryFailed,
    ResultTooLarge,
    StatementTimeout,
    TooManyStatements,
    Unavailable,
    ValuesMissing,
)
from basejump_common.security.principal import Role

SqlText = Annotated[str, Meta(min_length=1, max_length=100_000)]


class ProofPart(msgspec.Struct, frozen=True, kw_only=True):
    """One table, column, join, filter or function: proved or not, and why."""

    name: str
    proved: bool
    why: str


class MissingValue(msgspec.Struct, frozen=True, kw_only=True):
    """A text value of a statement that no row has in that column, or a `pattern` that none matches.

    `closest` are values of the column that are like it, best first; `same` is the one that differs in nothing but
    case, accents or number, where there is just one. They are told while a statement is being planned and stored
    nowhere: in the proof of a statement that ran there are none. `all_seen`: False when the column has more values
    like it than are looked at, or time ran out. `negated`: the statement asks for rows that don't have it.
    """

    schema_name: str
    table_name: str
    column_name: str
    value: str
    closest: tuple[str, ...] = ()
    same: str | None = None
    all_seen: bool = True
    pattern: bool = False
    negated: bool = False


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """The details of ValuesMissing."""

    values: tuple[MissingValue, ...]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved about a statement, part by part, and the statement that runs."""

    tables: tuple[ProofPart, ...] = ()
    columns: tuple[ProofPart, ...] = ()
    joins: tuple[ProofPart, ...] = ()
    filters: tuple[ProofPart, ...] = ()
    functions: tuple[ProofPart, ...] = ()
    sql: str
    fingerprint: str
    row_limit: int
    fully_proved: bool
    missing_values: tuple[MissingValue, ...] = ()


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a statement was not proved; `suggestions` are near misses."""

    code: str
    reason: str
    where: str | None = None
    suggestions: tuple[str, ...] = ()


class Prove(msgspec.Struct, frozen=True, kw_only=True):
    """Prove a statement under the team's grants as they are now."""

    conn_uuid: UUID
    team_uuid: UUID
    sql: SqlText


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement rests on, as fingerprints that are equal while nothing of it has changed. `schema`: the
    definitions of its tables, whoever asks; `permissions`: the login, and what that and the grant open of them. `sql`:
    the statement with the schemas' names of the index, by which any login of the database may be asked it."""

    schema: str = ""
    permissions: str = ""
    sql: str = ""


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of proof and refusal."""

    proof: Proof | None = None
    refusal: Refusal | None = None
    ground: Ground = Ground()


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a database expects of a statement: `rows` that it reads and produces, all steps of the plan together, and
    the `cost` in the database's own units, None where it tells none."""

    rows: int
    cost: float | None = None


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate beyond a limit: the details of EstimateTooHigh. `may_approve`: a person may let it run."""

    estimate: Estimate
    limit: Estimate
    may_approve: bool


RUN_SECONDS = 10.0
"""How long a call of RUN waits for the end. A statement may take longer: whoever wants its end asks again with the same
`run_uuid`, by which the death of a replica is noticed too."""

LONGEST_RUN_SECONDS = 3_700.0
"""More than any statement may take: its limit is an hour at most."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Prove and run a statement read-only. A `run_uuid` that has finished answers again and is never run again.

    `approved`: the estimate that a person was told and agreed to; a statement that takes more is not covered by it.
    `deadline`: when it is canceled, whoever still waits; without one it ends with the call that began it.
    `asked_at`: when it was asked first, from which the wait for a place counts. Both are seconds since the epoch.
    `known_missing`: text values that it may compare with although no row has them; with another one it doesn't run.
    None: whatever the rows have.
    """

    run_uuid: UUID
    conn_uuid: UUID
    team_uuid: UUID
    sql: SqlText
    prompt_uuid: UUID
    approved: Estimate | None = None
    deadline: float | None = None
    asked_at: float | None = None
    known_missing: Annotated[tuple[Annotated[str, Meta(max_length=100_000)], ...], Meta(max_length=1_000)] | None = None


class ResultColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a result; `type` as the database spells it."""

    name: str
    type: str


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The handle of a stored result. `truncated`: the row cap cut it; `bytes` is the size of its Parquet file.

    `preview` holds the first rows as JSON values: exact numbers as numbers, times as RFC 3339 text. `dialect`: of
    the SQL. `database_seconds`: for how long the customer's database was waited for: to log in, to look values up, for
    the estimate and for the rows.
    """

    run_uuid: UUID
    columns: tuple[ResultColumn, ...]
    row_count: int
    truncated: bool
    preview: tuple[tuple[Any, ...], ...]
    bytes: int
    database_seconds: float
    proof: Proof
    dialect: str = ""
    ground: Ground = Ground()


class StopRun(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel a statement that runs; `ok` also when it has already ended."""

    run_uuid: UUID


PROVE = Operation(
    "basejump.v1.connection.sql.prove",
    takes=Prove,
    gives=Proved,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound,),
)
RUN = Operation(
    "basejump.v1.connection.sql.run",
    takes=Run,
    gives=RunResult,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(
        NotFound,
        NotProved,
        ValuesMissing,
        EstimateTooHigh,
        TooManyStatements,
        QueryFailed,
        StatementTimeout,
        ResultTooLarge,
        Canceled,
        Unavailable,
    ),
    timeout=RUN_SECONDS,
)
STOP_RUN = Operation(
    "basejump.v1.connection.sql.stop",
    takes=StopRun,
    gives=Done,
    allow=Role.MEMBER,
    callers=("chat-agent",),
)
