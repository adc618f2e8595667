"""What ends a prompt without an answer."""

import pytest

from basejump_chat_agent.domain import failures
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_common.contracts.connection import Refusal
from basejump_common.errors import BasejumpError, StatementTimeout, Unavailable, all_errors


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.code)
def test_every_error_becomes_a_code_and_whole_sentences(error: type[BasejumpError]) -> None:
    reason = CannotGoOn.because_of(error("the statement on hr failed"))
    assert reason.code == error.code
    assert reason.content.startswith("The statement on hr failed.")
    assert reason.content.endswith(".")
    assert "  " not in reason.content


def test_an_error_says_what_to_do() -> None:
    reason = CannotGoOn.because_of(StatementTimeout("the statement ran longer than 60 s"))
    assert reason.content.startswith("The statement ran longer than 60 s. Ask for less at once")


def test_advice_is_given_once() -> None:
    reason = CannotGoOn.because_of(Unavailable("the service is away; try again"))
    assert reason.content == "The service is away. Ask again in a minute."


def test_the_built_in_planner_says_honestly_that_it_can_not_answer() -> None:
    reason = failures.needs_language_model("I don't know what “sky” means here")
    assert reason.code == "needs_language_model"
    assert reason.content == (
        "I can't answer that without a language model, because I don't know what “sky” means here."
    )


def test_a_refusal_tells_the_near_misses() -> None:
    reason = failures.not_proved(
        Refusal(code="unknown_column", reason="there is no column salry", suggestions=("salary",))
    )
    assert reason.content.startswith("There is no column salry. Did you mean salary? ")


def test_a_failed_index_tells_why() -> None:
    reason = failures.index_failed(("hr: the login was refused",))
    assert "Hr: the login was refused." in reason.content
    assert reason.code == "index_failed"


@pytest.mark.parametrize(
    ("what", "limit", "said"),
    [
        ("seconds_per_question", 1.0, "The answer would take more than 1 second. Ask for less at once."),
        ("tokens_per_question", 2_000, "The answer would take more than 2,000 tokens. Ask for less at once."),
    ],
)
def test_a_limit_is_said_with_its_unit(what: str, limit: float, said: str) -> None:
    assert failures.over_limit(what, limit).content == said
