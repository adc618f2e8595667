"""Which option of a clarification a reply picks: by its words, some of them, its place, or a yes to the only one."""

import re
from collections.abc import Sequence

from basejump_common.contracts.chat import Clarification

YES, NO = "yes", "no"

_LONGEST_REPLY = 200
_WORD = re.compile(r"\w+")
_FILLERS = frozenset(
    _WORD.findall(
        "the a an one ones option number please thanks thank you i mean meant want take choose pick is it its that this"
        " s by of in for just with let us lets"
    )
)
_AGREES = frozenset(_WORD.findall("yes y yep yeah yup ok okay sure right correct exactly indeed do go ahead run"))
_DECLINES = frozenset(_WORD.findall("no n nope nah"))
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_NUMBERED = re.compile(r"([1-9]\d?)(?:st|nd|rd|th)?")


def picked(reply: str, options: Sequence[str]) -> str | None:
    """The one option that the whole reply stands for; None where it stands for none, several, or says more."""
    if len(reply) > _LONGEST_REPLY:
        return None
    plain = reply.strip(" \t\n.,!?\"'“”")
    same = [option for option in options if option.casefold() == plain.casefold()]
    if same:
        return plain if plain in same else same[0]
    said = _words(reply)
    rest = said - _FILLERS
    by_words = [option for option in options if rest and _words(option) - _FILLERS == rest]
    by_part = [option for option in options if rest and rest <= _words(option)]
    for found in (by_words, by_part):
        if len(found) == 1:
            return found[0]
    return _at_place(rest, options) or _agreed(rest or said, options)


def reply_to(asked: Clarification | None, reply: str) -> str | None:
    """What a reply says to a clarification: the option that it picks, or itself where it names options among other
    words; None where it is a question of its own."""
    if asked is None:
        return None
    option = picked(reply, asked.options)
    return option or (reply if any(says(reply, option) for option in asked.options) else None)


def says(text: str, option: str) -> bool:
    """Whether the text has the option's words."""
    return re.search(rf"(?<!\w){re.escape(option)}(?!\w)", text, re.IGNORECASE) is not None


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _at_place(rest: set[str], options: Sequence[str]) -> str | None:
    """`2`, `the first one`, `option 3`, `no. 2`."""
    [word, *more] = rest - _DECLINES or {""}
    numbered = _NUMBERED.fullmatch(word)
    place = _PLACES.get(word) if numbered is None else int(numbered[1]) - 1
    return options[place] if place is not None and not more and -1 <= place < len(options) and options else None


def _agreed(said: set[str], options: Sequence[str]) -> str | None:
    """Yes and no where those are the options; else a yes to the only one."""
    agrees = bool(said) and (said <= _AGREES or (len(options) == 1 and said <= {"that", "it", "one"}))
    if {YES, NO} <= set(options):
        return YES if agrees else NO if said and said <= _DECLINES else None
    return options[0] if agrees and len(options) == 1 else None
