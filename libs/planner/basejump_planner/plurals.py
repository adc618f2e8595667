"""One and several of what a table or column is called: English nouns, as far as rules go."""

from __future__ import annotations

import re

from basejump_planner.vocabulary import words_in

_SINGULARS = (
    (re.compile(r"ies$"), "y"),
    (re.compile(r"(ss|x|ch|sh)es$"), r"\1"),
    (re.compile(r"(?<![sui])s$"), ""),
)
_PLURALS = (
    (re.compile(r"(?<![aeiou])y$"), "ies"),
    (re.compile(r"(x|ch|sh)$"), r"\1es"),
    (re.compile(r"person$"), "people"),
    (re.compile(r"child$"), "children"),
    (re.compile(r"man$"), "men"),
    (re.compile(r"(?<!s)$"), "s"),
)
_ALIKE = words_in(
    "people children men women staff personnel data media news equipment information furniture sheep fish aircraft"
    " inventory history stock traffic weather money software hardware"
)


def singular(noun: str) -> str:
    """`country` of `countries`."""
    return _changed(noun, _SINGULARS)


def plural(noun: str) -> str:
    """`countries` of `country`; the last word alone is changed."""
    return noun if noun.lower().split(" ")[-1] in _ALIKE else _changed(noun, _PLURALS)


def _changed(noun: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for ending, instead in rules:
        changed, times = ending.subn(instead, noun)
        if times:
            return changed
    return noun
