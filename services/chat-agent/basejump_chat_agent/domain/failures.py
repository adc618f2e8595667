"""What ends a prompt without an answer: a stable code, and a sentence that says what to do about it."""

import msgspec

from basejump_chat_agent.domain.answerer import AskedBack
from basejump_chat_agent.domain.approving import approval
from basejump_common.contracts.connection import Excess, Missing, MissingValue, Refusal
from basejump_common.errors import BasejumpError, EstimateTooHigh, NotProved, ValuesMissing

_WHAT_TO_DO = {
    "unavailable": "Ask again in a minute.",
    "storage_away": "Ask again in a minute; if it stays so, ask an administrator about your organisation's storage.",
    "deadline_exceeded": "Ask again, or ask for less at once.",
    "statement_timeout": "Ask for less at once: a filter or a shorter period makes it faster.",
    "result_too_large": "Ask for fewer rows or columns, or for a summary.",
    "values_missing": "Ask in another spelling.",
    "estimate_too_high": "Ask for less at once: a filter or a shorter period makes it smaller.",
    "too_many_statements": "Ask again when other questions have been answered.",
    "query_failed": "Ask in other words, or ask an administrator to look at the database.",
    "not_proved": "Ask in other words, or ask an administrator whether your team may see that data.",
    "unauthenticated": "Sign in again, then ask again.",
    "forbidden": "Ask an administrator for access.",
    "not_found": "Ask an administrator whether your team may still query that database.",
    "internal": "Ask again; if it stays so, tell the operator the time and your question.",
}


_MENDABLE = frozenset({"not_proved", "query_failed", "estimate_too_high", "statement_timeout", "result_too_large"})


class CannotGoOn(Exception):
    """*Stop because*: ends a prompt with an `error` message."""

    def __init__(self, code: str, content: str, reason: str = "") -> None:
        super().__init__(content)
        self.code = code
        self.content = content
        self.reason = reason or content
        """The same without advice to a person."""

    @classmethod
    def because_of(cls, error: BasejumpError) -> "CannotGoOn":
        """What another service, or a defect, has done to the prompt."""
        if isinstance(error, EstimateTooHigh) and error.details.get("may_approve"):
            return NeedsPerson(approval(msgspec.convert(error.details, Excess)))
        if isinstance(error, ValuesMissing) and error.details:
            return NoSuchValue(error.message, msgspec.convert(error.details, Missing).values)
        if isinstance(error, NotProved) and error.details:
            return not_proved(msgspec.convert(error.details, Refusal))
        what = error.message.removesuffix("; try again")  # our own advice follows
        kind = TryAgain if error.code in _MENDABLE else CannotGoOn
        return kind(error.code, f"{_sentence(what)} {_WHAT_TO_DO.get(error.code, '')}".strip(), error.message)


class TryAgain(CannotGoOn):
    """*Retry because*: another statement may do. It ends the prompt of an answerer that has no other."""


class NoSuchValue(TryAgain):
    """A statement compares with text values that no row has; it did not run. `values` may be the customer's data."""

    def __init__(self, message: str, values: tuple[MissingValue, ...]) -> None:
        super().__init__("values_missing", f"{_sentence(message)} {_WHAT_TO_DO['values_missing']}", message)
        self.values = values


class NeedsPerson(CannotGoOn):
    """*Ask because*: only the person can say how to go on. It ends the work of any answerer with a question back."""

    def __init__(self, asked_back: AskedBack) -> None:
        super().__init__("clarification", asked_back.question)
        self.asked_back = asked_back


def needs_language_model(reason: str) -> CannotGoOn:
    """The planner without a language model declines."""
    return CannotGoOn(
        "needs_language_model", _sentence(f"I can't answer that without a language model, because {reason}")
    )


def no_database() -> CannotGoOn:
    """Nothing is granted to the chat's team."""
    return CannotGoOn(
        "no_database", "This chat's team may not query any database yet. Ask an administrator to add the team to one."
    )


def still_indexing(seconds: float) -> CannotGoOn:
    """The databases were being indexed for longer than a question waits."""
    return CannotGoOn(
        "still_indexing",
        f"The database is still being indexed after {seconds:.0f} seconds. Ask again when its index is finished.",
    )


def index_failed(reasons: tuple[str, ...]) -> CannotGoOn:
    """No database of the team has an index, and at least one failed."""
    return CannotGoOn(
        "index_failed",
        f"The database could not be indexed: {_sentence('; '.join(reasons))} Ask an administrator to index it again.",
    )


def not_proved(refusal: Refusal) -> TryAgain:
    """The proof refused the statement; it did not run."""
    meant = f" Did you mean {', '.join(refusal.suggestions)}?" if refusal.suggestions else ""
    said = f"{_sentence(refusal.reason)}{meant}"
    place = f" At: {refusal.where}." if refusal.where else ""
    return TryAgain("not_proved", f"{said} {_WHAT_TO_DO['not_proved']}", f"{said}{place}")


def model_misconfigured(name: str) -> CannotGoOn:
    """The model is unknown, its provider isn't installed, or its key isn't accepted."""
    return CannotGoOn(
        "model_misconfigured",
        f"The language model {name} can't be used as it is set up here. Tell the operator, or choose another one.",
    )


def model_not_allowed(name: str) -> CannotGoOn:
    """The client's model isn't on the operator's list (any more)."""
    return CannotGoOn(
        "model_not_allowed", f"The language model {name} may not be used here. Choose another one in the settings."
    )


def model_unavailable(name: str) -> CannotGoOn:
    """Neither the model nor its fallback answered, however often they were asked."""
    return CannotGoOn("model_unavailable", f"The language model {name} doesn't answer. Ask again in a minute.")


def model_rate_limited(name: str) -> CannotGoOn:
    """The provider lets nobody in for the moment."""
    return CannotGoOn("model_rate_limited", f"The language model {name} is over its rate limit. Ask again in a minute.")


def no_answer() -> CannotGoOn:
    """The model said nothing that could be used."""
    return CannotGoOn("no_answer", "The language model gave no answer that rests on the data. Ask in other words.")


def out_of_bounds(objection: str) -> CannotGoOn:
    """The model's turns were too much to work with, also after it was told why."""
    return CannotGoOn("out_of_bounds", f"The language model was ended: {objection} Ask in other words.")


def going_in_circles() -> CannotGoOn:
    """The model did the same again and again."""
    return CannotGoOn("going_in_circles", "The language model went in circles and was ended. Ask in other words.")


_LIMITS = {
    "steps_per_question": "more than {limit} steps",
    "tokens_per_question": "more than {limit} tokens",
    "cost_per_question": "more than {limit} dollars",
    "seconds_per_question": "more than {limit} seconds",
    "tokens_per_day": "more than the {limit} tokens that your organisation may use in a day",
    "cost_per_day": "more than the {limit} dollars that your organisation may spend in a day",
}


def over_limit(what: str, limit: float) -> CannotGoOn:
    """A budget of the question, or of the client's day, is used up: `<what>_exceeded`."""
    until = " The day begins anew at midnight UTC." if what.endswith("day") else " Ask for less at once."
    taken = _LIMITS[what].format(limit=f"{limit:,.10g}")
    taken = taken.removesuffix("s") if limit == 1 and not what.endswith("day") else taken
    return CannotGoOn(f"{what}_exceeded", f"The answer would take {taken}.{until}")


def declined() -> CannotGoOn:
    """The person was asked whether a statement may run, and said no."""
    return CannotGoOn("estimate_too_high", f"Then I haven't run it. {_WHAT_TO_DO['estimate_too_high']}")


def gave_up() -> CannotGoOn:
    """Every attempt failed for a reason that only the log knows."""
    return CannotGoOn("internal", f"Something went wrong on our side. {_WHAT_TO_DO['internal']}")


def not_verified() -> CannotGoOn:
    """The client is STRICT, and nobody has verified an answer to this question."""
    return CannotGoOn(
        "not_verified",
        "Your organisation gives members verified answers alone, and there is none to this question yet. "
        "Ask an administrator to ask it and to verify the answer.",
    )


def canceled() -> CannotGoOn:
    """Somebody stopped the chat."""
    return CannotGoOn("canceled", "This was stopped before it was answered. Ask again when you want the answer.")


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
