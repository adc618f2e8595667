"""Text values that no row has: what the person is asked, what an answer says of them, and what choosing one means."""

import re
from collections.abc import Iterable, Mapping, Sequence

from basejump_chat_agent.domain.answerer import AskedBack, Option
from basejump_chat_agent.domain.picking import says
from basejump_common.contracts.chat import Clarification
from basejump_common.contracts.connection import FoundValue, MissingValue

_MOST_TOLD = 5
_LONGEST_TOLD = 200
_SINGULARS = ((r"ies$", "y"), (r"(ss|x|ch|sh)es$", r"\1"), (r"(?<![su])s$", ""))


def which_is_meant(values: Iterable[MissingValue]) -> AskedBack | None:
    """A question about the first that has values like it; None when there is none."""
    asked = next((value for value in values if value.closest and not value.pattern), None)
    if asked is None:
        return None
    column, noun = spoken(asked.column_name), _noun(asked.table_name)
    options = [Option(label=near, change=f"It asks for the {column} {near}.") for near in asked.closest]
    as_it_is = Option(label=asked.value, change=f"It asks for what you wrote, which no {noun} has.")
    return AskedBack(
        question=f"No {noun} has the {column} “{asked.value}”. Which one do you mean?",
        options=(*options, as_it_is),
        instead_of=asked.value,
    )


def which_word_is_meant(near: Sequence[FoundValue]) -> AskedBack:
    """A question about a word that was understood as nothing; `near` are values like it."""
    phrase = near[0].phrase
    changes: dict[str, str] = {}
    for one in near:
        changes.setdefault(one.value, f"It asks for the {spoken(one.column_name)} {one.value}.")
    options = [Option(label=value, change=change) for value, change in changes.items()]
    return AskedBack(
        question=f"I find no “{phrase}” in the data. Which one do you mean?",
        options=tuple(options[:_MOST_TOLD]),
        instead_of=phrase,
    )


def chosen(asked: Clarification | None, said: str) -> str | None:
    """The value that the person chose instead of the one that is missing; None when that was not the question."""
    if asked is None or asked.instead_of is None:
        return None
    if said in asked.options:
        return said
    return max((option for option in asked.options if says(said, option)), key=len, default=None)


def put_right(question: str, values: Mapping[str, str]) -> str:
    """The question with the values that were meant, in quotes, by the words that no row has."""
    for word, value in values.items():
        right = value if '"' in value or value == word else f'"{value}"'
        whole = rf"(?<!\w)['\"]?{re.escape(word)}['\"]?(?!\w)"
        question = re.sub(whole, right.replace("\\", r"\\"), question, flags=re.IGNORECASE)
    return question


def none_has(values: Sequence[MissingValue]) -> str:
    """A sentence for each value that isn't there."""
    return " ".join(dict.fromkeys(map(_sentence, values[:_MOST_TOLD])))


def spoken(name: str) -> str:
    """The name of a column or table in words."""
    return name.replace("_", " ")


def _sentence(value: MissingValue) -> str:
    what = "a {} like" if value.pattern else "the {}"
    said = value.value if len(value.value) <= _LONGEST_TOLD else f"{value.value[:_LONGEST_TOLD]}…"
    left_out = ", so none is left out for that" if value.negated else ""
    return f"No {_noun(value.table_name)} has {what.format(spoken(value.column_name))} '{said}'{left_out}."


def _noun(table: str) -> str:
    """What a row of the table is called: tables are often called in the plural."""
    name = spoken(table)
    for ending, instead in _SINGULARS:
        singular, changed = re.subn(ending, instead, name, flags=re.IGNORECASE)
        if changed:
            return singular
    return name
