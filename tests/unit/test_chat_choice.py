"""Which database a question means."""

from typing import Any
from uuid import uuid4

import pytest

from basejump_chat_agent.domain.choice import DatabaseOption, Meaning, found, named, options
from basejump_common.contracts.connection import Candidate, Retrieved


def retrieved(*tied: str, **changes: Any) -> Retrieved:
    known: dict[str, Any] = {"conn_uuid": uuid4(), "db_uuid": uuid4(), "database_name_alias": "HR"} | changes
    return Retrieved(tied=tuple(Candidate(db_uuid=uuid4(), database_name_alias=a, score=1.0) for a in tied), **known)


def among(*aliases: str) -> tuple[DatabaseOption, ...]:
    return tuple(DatabaseOption(db_uuid=uuid4(), alias=alias) for alias in aliases)


def test_one_database_leaves_nothing_to_choose() -> None:
    assert options(retrieved()) == ()


def test_the_best_database_is_the_first_option() -> None:
    assert [option.alias for option in options(retrieved("sales", "hr archive"))] == ["HR", "sales", "hr archive"]


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        ("How many employees are in HR?", "HR"),
        ("hr", "HR"),
        ("the hr archive, please", "hr archive"),
        ("sales", "sales"),
        ("presales", None),
        ("How many employees are there?", None),
        ("HR and sales", None),
        ("HR or the hr archive?", "hr archive"),
    ],
)
def test_a_database_is_meant_when_its_name_is_said_as_a_word(text: str, alias: str | None) -> None:
    option = named(text, among("HR", "sales", "hr archive"))
    assert (option.alias if option else None) == alias


def test_an_alias_is_text_and_no_pattern() -> None:
    option = named("use db (v1.0)+", among("db (v1.0)+", "dbx"))
    assert option is not None
    assert option.alias == "db (v1.0)+"
    assert named("anything", among(".*", "a|b")) is None


def test_nothing_granted_is_nothing_found() -> None:
    assert (
        found(Meaning(question="How many?", meant="How many?", hint=""), retrieved(conn_uuid=None, db_uuid=None))
        is None
    )


def test_what_is_found_goes_over_one_connection() -> None:
    from_index = retrieved()
    tables = found(Meaning(question="How many?", meant="How many?", hint=""), from_index)
    assert tables is not None
    assert (tables.conn_uuid, tables.db_uuid, tables.options) == (from_index.conn_uuid, from_index.db_uuid, ())
