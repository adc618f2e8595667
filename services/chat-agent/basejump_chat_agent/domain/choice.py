"""What a question means, and which database, when several fit equally well."""

from uuid import UUID

import msgspec

from basejump_chat_agent.domain.answerer import Clarified
from basejump_chat_agent.domain.charts import Wish
from basejump_chat_agent.domain.conversation import Turn
from basejump_chat_agent.domain.picking import says
from basejump_common.contracts.connection import Estimate, Retrieved, Table

QUESTION = "Which database do you mean?"


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """The question to answer, what it means in its conversation, and the text that may name the database. `chart`:
    the chart that its words ask for."""

    question: str
    meant: str
    hint: str
    turns: tuple[Turn, ...] = ()
    clarified: tuple[Clarified, ...] = ()
    chart: Wish | None = None
    approved: Estimate | None = None
    known_missing: tuple[str, ...] = ()


class DatabaseOption(msgspec.Struct, frozen=True, kw_only=True):
    """A database that the person may choose by its alias."""

    db_uuid: UUID
    alias: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered (see `Asked`), and the tables it is about over one connection. `options`: nothing to choose,
    or two databases and more that fit equally well. `approved`: what a statement may take since the person agreed.
    `known_missing`: values that the person means although no row has them."""

    question: str
    conn_uuid: UUID
    db_uuid: UUID
    dialect: str
    tables: tuple[Table, ...]
    functions: tuple[str, ...] = ()
    options: tuple[DatabaseOption, ...]
    meant: str = ""
    database: str = ""
    turns: tuple[Turn, ...] = ()
    clarified: tuple[Clarified, ...] = ()
    chart: Wish | None = None
    approved: Estimate | None = None
    known_missing: tuple[str, ...] = ()


def found(meaning: Meaning, retrieved: Retrieved) -> Found | None:
    """None when nothing is granted or indexed."""
    if retrieved.conn_uuid is None or retrieved.db_uuid is None:
        return None
    return Found(
        question=meaning.question,
        meant=meaning.meant,
        turns=meaning.turns,
        clarified=meaning.clarified,
        chart=meaning.chart,
        approved=meaning.approved,
        known_missing=meaning.known_missing,
        database=retrieved.database_name_alias or "",
        conn_uuid=retrieved.conn_uuid,
        db_uuid=retrieved.db_uuid,
        dialect=retrieved.dialect,
        tables=retrieved.tables,
        functions=retrieved.functions,
        options=options(retrieved),
    )


def options(retrieved: Retrieved) -> tuple[DatabaseOption, ...]:
    """The databases that fit equally well, best first; fewer than two leave nothing to choose."""
    if retrieved.db_uuid is None or not retrieved.tied:
        return ()
    best = DatabaseOption(db_uuid=retrieved.db_uuid, alias=retrieved.database_name_alias or str(retrieved.db_uuid))
    return (best, *(DatabaseOption(db_uuid=tie.db_uuid, alias=tie.database_name_alias) for tie in retrieved.tied))


def named(text: str, among: tuple[DatabaseOption, ...]) -> DatabaseOption | None:
    """The one option that `text` names; None when it names none or several. The longest alias wins over its parts."""
    said = [option for option in among if says(text, option.alias)]
    longest = [option for option in said if not any(_is_part(option.alias, other.alias) for other in said)]
    return longest[0] if len(longest) == 1 else None


def _is_part(alias: str, other: str) -> bool:
    return alias.lower() != other.lower() and alias.lower() in other.lower()
