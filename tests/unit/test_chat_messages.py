"""What a prompt says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from basejump_chat_agent.domain import failures, messages
from basejump_chat_agent.domain.answerer import AskedBack, Option
from basejump_chat_agent.domain.charts import NoChart, Visual
from basejump_chat_agent.domain.new_result import NewResult
from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.domain.words import LONGEST, describe
from basejump_common.contracts.chat import FINAL, Ask, MessageType, ResultType, Usage
from basejump_common.contracts.connection import Proof, ResultColumn, RunResult

ASKED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = ASKED + timedelta(seconds=2)
BETWEEN = AskedBack(
    question="Which database do you mean?", options=(Option(label="hr"), Option(label="sales", change="only orders"))
)
USAGE = Usage(planner="built-in", total_seconds=2.0)


def prompt(**changes: Any) -> Prompt:
    ask = Ask(chat_uuid=uuid4(), prompt="How many employees are there?", parent_msg_uuid=uuid4())
    prompt_uuid, msg_uuid = uuid4(), uuid4()
    asked = Prompt(
        prompt_uuid=prompt_uuid,
        client_uuid=uuid4(),
        chat_uuid=ask.chat_uuid,
        team_uuid=uuid4(),
        user_uuid=uuid4(),
        msg_uuid=msg_uuid,
        parent_msg_uuid=ask.parent_msg_uuid,
        question=ask.prompt,
        run_uuid=uuid4(),
        return_sql_in_thoughts=False,
        asked_at=ASKED,
        message=messages.initial(ask, prompt_uuid, msg_uuid, ASKED),
    )
    return msgspec.structs.replace(asked, **changes)


def ran(columns: int = 1, rows: int = 1, value: object = 107, truncated: bool = False) -> RunResult:
    return RunResult(
        run_uuid=uuid4(),
        columns=tuple(ResultColumn(name=f"c{number}", type="bigint") for number in range(columns)),
        row_count=rows,
        truncated=truncated,
        preview=tuple((value,) * columns for _ in range(min(rows, 10))),
        bytes=1,
        database_seconds=0.1,
        proof=Proof(sql="SELECT COUNT(*) FROM hr.employees", fingerprint="f", row_limit=10, fully_proved=True),
    )


def new(of: RunResult, **changes: Any) -> NewResult:
    kept = NewResult(
        result_uuid=uuid4(),
        conn_uuid=uuid4(),
        db_uuid=uuid4(),
        subtitle="number of employees",
        description="There are 107 employees.",
        ran=of,
    )
    return msgspec.structs.replace(kept, **changes)


def test_the_final_message_takes_the_place_of_the_initial_one() -> None:
    asked = prompt()
    final = messages.response(asked, new(ran()), USAGE, LATER)
    assert (final.msg_uuid, final.prompt_uuid) == (asked.message.msg_uuid, asked.prompt_uuid)
    assert (final.initial_prompt, final.prompt_time) == ("How many employees are there?", ASKED)
    assert final.parent_msg_uuid == asked.parent_msg_uuid
    assert (final.msg_type, final.timestamp) == (MessageType.RESPONSE, LATER)
    assert final.sql_query == "SELECT COUNT(*) FROM hr.employees"
    assert messages.message_id(final) != messages.message_id(asked.message)


def test_a_chart_names_the_result_that_it_shows_and_none_is_explained() -> None:
    drawn = new(ran(), visual=Visual(figure={"data": [], "layout": {}}, explanation="A bar chart."))
    with_chart = messages.response(prompt(), drawn, USAGE, LATER)
    assert (with_chart.visual_result_uuid, with_chart.visual_explanation) == (drawn.result_uuid, "A bar chart.")
    without = messages.response(prompt(), new(ran(), visual=Visual.of(NoChart(reason="it rains"))), USAGE, LATER)
    assert (without.visual_result_uuid, without.visual_json) == (None, None)
    assert without.visual_explanation == "No chart fits, because it rains."


def test_a_worker_that_resumes_says_the_same_message_again_and_not_another_one() -> None:
    asked = prompt()
    first = messages.status(asked, "Running the query.", ASKED)
    again = messages.status(asked, "Running the query.", LATER)
    assert messages.message_id(first) == messages.message_id(again)
    assert messages.message_id(first) != messages.message_id(messages.status(asked, "Waiting.", LATER))
    assert messages.message_id(first) != messages.message_id(messages.status(prompt(), "Running the query.", LATER))


def test_a_thought_is_not_final() -> None:
    thought = messages.thought(prompt(), "number of employees", "select 1", LATER)
    assert (thought.content, thought.sql_query) == ("number of employees", "select 1")
    assert thought.msg_type not in FINAL


@pytest.mark.parametrize(
    ("columns", "rows", "kind"),
    [
        (1, 1, ResultType.METRIC),
        (3, 1, ResultType.RECORD),
        (1, 2, ResultType.DATASET),
        (3, 7, ResultType.DATASET),
        (1, 0, ResultType.DATASET),
    ],
)
def test_the_shape_of_a_result_is_its_type(columns: int, rows: int, kind: ResultType) -> None:
    assert new(ran(columns, rows)).result_type is kind


def test_a_clarification_carries_its_options() -> None:
    asked = messages.clarification(prompt(), BETWEEN, USAGE, LATER)
    assert asked.clarification is not None
    assert asked.clarification.options == ("hr", "sales")
    assert asked.clarification.changes == ("", "only orders")
    assert asked.content == "Which database do you mean? hr, sales"
    assert asked.msg_type in FINAL


def test_an_error_carries_its_code() -> None:
    message = messages.failure(prompt(), failures.canceled(), LATER)
    assert (message.msg_type, message.code) == (MessageType.ERROR, "canceled")


def test_words_say_when_the_row_cap_cut_the_result() -> None:
    assert describe("?", "salaries", ran(rows=10, truncated=True)).endswith("The result was cut at 10 rows.")
    assert "cut" not in describe("?", "salaries", ran(rows=10))


def test_a_document_in_a_cell_does_not_become_the_message() -> None:
    assert len(describe("?", "letter", ran(value="x" * 1_000_000))) <= LONGEST + 2
