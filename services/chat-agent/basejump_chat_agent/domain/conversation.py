"""Earlier questions of a chat and what came of them: what a follow-up refers to."""

from collections.abc import Sequence
from typing import Any

import msgspec

from basejump_common.contracts.chat import MessageType, PriorMessage
from basejump_common.contracts.connection import RanUnder, ResultColumn

TURNS = 20
"""So many earlier questions are looked at."""

ROWS = 10
"""Rows of an earlier result that a follow-up may refer to, as in "the second one"."""

_WITH_ROWS = 3
_LONGEST_TEXT = 1_000
_LONGEST_SQL = 4_000
_LONGEST_CELL = 200


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier question and its end. `rows` are the first of `row_count`; `sql` is None where none ran; `ran_under`:
    what lets them be read. `thumbs_up`: what the person thought of the answer."""

    question: str
    answer: str = ""
    msg_type: MessageType = MessageType.RESPONSE
    sql: str | None = None
    columns: tuple[ResultColumn, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    row_count: int = 0
    ran_under: RanUnder | None = None
    thumbs_up: bool | None = None
    thumbs_reason: str = ""


def prior_turns(messages: Sequence[PriorMessage]) -> tuple[Turn, ...]:
    """The conversation that was held elsewhere, before the chat: each question of the user with what answered it."""
    turns: list[Turn] = []
    for message in messages:
        if message.role == "user":
            turns.append(Turn(question=message.content))
        elif turns:
            answer = f"{turns[-1].answer}\n{message.content}".strip()
            turns[-1] = msgspec.structs.replace(turns[-1], answer=answer)
    return tuple(turns[-TURNS:])


def trimmed(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The same with long texts cut, and rows for the latest few that have some only."""
    recent = [place for place, turn in enumerate(turns) if turn.rows][-_WITH_ROWS:]
    return tuple(_trim(turn, with_rows=place in recent) for place, turn in enumerate(turns))


def without_rows(turn: Turn) -> Turn:
    """The turn for who may not read its result any more."""
    return msgspec.structs.replace(turn, answer="", sql=None, columns=(), rows=(), row_count=0)


def _trim(turn: Turn, *, with_rows: bool) -> Turn:
    return msgspec.structs.replace(
        turn,
        question=turn.question[:_LONGEST_TEXT],
        answer=turn.answer[:_LONGEST_TEXT],
        sql=turn.sql and turn.sql[:_LONGEST_SQL],
        thumbs_reason=turn.thumbs_reason[:_LONGEST_TEXT],
        rows=tuple(tuple(_short(cell) for cell in row) for row in turn.rows[:ROWS]) if with_rows else (),
    )


def _short(cell: Any) -> Any:
    return f"{cell[:_LONGEST_CELL]}…" if isinstance(cell, str) and len(cell) > _LONGEST_CELL else cell
