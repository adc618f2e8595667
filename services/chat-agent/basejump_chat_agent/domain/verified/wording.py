"""A question as the words that carry its meaning, in their order; what says the same is written the same.

Nothing is left out that could change what is asked: numbers, values, negations, comparisons, superlatives, aggregates,
orders, times and prepositions stay, each as itself. Only what asks (“show me”, “what are the”), articles and fillers
go.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import zip_longest

import msgspec

from basejump_planner.words import Token, tokenize

LONGEST = 60
"""Words; a longer question is told by too much to be told apart by words."""


class Word(msgspec.Struct, frozen=True):
    """A word that counts. `kind`: `word`, `number`, `date`, `quoted`, or `sign`, which must be there on both sides as
    it is. `said` is the word as it was written, `start` and `end` are its place in the question."""

    text: str
    kind: str
    said: str
    start: int
    end: int
    name: bool = False


def _rules(text: str) -> dict[tuple[str, ...], str]:
    """One rule a line: alternatives apart by `|`, then `=>` and their sign (`*`: themselves); none: nothing is said."""
    found = {}
    for line in text.strip().splitlines():
        said, _, sign = line.partition("=>")
        for phrase in said.split("|"):
            found[tuple(phrase.split())] = sign.strip()
    return found


# What opens a question or a second sentence and only asks.
_ASKING = _rules(
    """
    please | can you | could you | would you | show | show me | list | list out | find | find out | find me | tell me
    give | give me | return | display | get | get me | retrieve | what is | what are | what was | what were | which is
    which are | who is | who are | i want | i want to know | i would like to know | i need | let me know | do you know
    what | which | who | list of | a list of | the list of | all | all of | all the | all of the | me | us | the | a
    an | whats | what's
""".replace("\n", " | ").strip(" |")
)

_SIGNS = _rules("""
    how many => #count
    count the number of | count number of | the number of | number of | count of | the count of | count => #count
    average | mean | avg => #average
    total | sum | sum of | total of => #total
    maximum | max | highest | largest | greatest | biggest => #highest
    minimum | min | lowest | smallest => #lowest
    most => #most
    least => #least
    fewest => #fewest
    more than | greater than | larger than | higher than | bigger than | exceeding | exceeds | exceed => #more
    less than | lower than | smaller than | fewer than => #less
    no less than | no fewer than | not less than => #at-least
    no more than | not more than => #at-most
    ordered by | order by | sorted by | sort by | in order of | in the order of | order them by | sort them by => #by
    in ascending order | ascending | in an ascending order => #ascending
    in descending order | descending | in a descending order => #descending
    in alphabetical order | alphabetically | in the alphabetical order | in alphabetic order => #alphabetical
    distinct | different | unique => #distinct
    for each | of each | in each | per | for every | of every | in every => #each
    or => #or
    not | no | never | without | neither | nor | except | excluding | other than | but not | cannot => *
    at least | at most | both | either | only | before | after | between | above | below | over | under | since => *
    until | from | to | than | in | on | by | at | for | with | as | into | through | during | within | about => *
    against | more | less | fewer | each | every | any | all | none | but | if | when | where | why | how => *
    much | often | once | twice => *
    first | last | top | bottom | earliest | latest | oldest | youngest | newest | longest | shortest | best => *
    worst | same | else | also | too | half | percent | percentage | ratio | share | difference | times => *
    today | yesterday | tomorrow | now | this | current | currently | past | next | recent | recently | ago | yet => *
    have | has | had | having => #have
    of | of all | of all the => #of
    do we have =>
    is | are | was | were | be | been | being | do | does | did | will | would | can | could | should | may => *
""")  # fmt: skip

# Between what is told apart, they say nothing more.
_FILLERS = frozenset(["the", "a", "an", "there", "please", "respectively", "corresponding", "any", "kindly"])
_STOPPING = frozenset({"is", "are", "was", "were", "be", "been", "being", "do", "does", "did"})
_RELATIVE = frozenset({"that", "which", "who", "whom"})
_JOINING = _rules("""
    and | & | , | , and | as well as | along with | together with | , as well as | , along with | and also => #and
""")
_LONGEST_PHRASE = 5
_RELATIVE_TIME = frozenset(
    [
        "today",
        "yesterday",
        "tomorrow",
        "now",
        "this",
        "current",
        "currently",
        "past",
        "next",
        "recent",
        "recently",
        "ago",
        "yet",
        "last",
    ]
)


@lru_cache(maxsize=10_000)
def words_of(question: str) -> tuple[Word, ...]:
    """The words that count; none when there are too many."""
    tokens = tokenize(question)
    if len(tokens) > LONGEST:
        return ()
    found: list[Word] = []
    place, opening = 0, True
    while place < len(tokens):
        length = _opening(tokens, place) if opening else 0
        if length:
            place += length
            continue
        word, length = _word(tokens, place, first=place == 0)
        if word is not None and not (word.text == "#and" and (not found or found[-1].text == "#and")):
            found.append(word)
        opening = tokens[place].kind == "stop"
        place += length
    return tuple(_without_loose_commas(found))


def signature(words: tuple[Word, ...]) -> str:
    """What two questions that mean the same, or differ in one value, have in common: their signs, in order."""
    return " ".join(word.text for word in words if word.kind == "sign")


def said_as(words: tuple[Word, ...]) -> str:
    """The question as its words that count: the same for questions that are word for word the same."""
    return " ".join(plain(word.said) if word.name else word.text for word in words)


def depends_on_today(words: tuple[Word, ...]) -> bool:
    """Whether it asks about a time that is named by its distance from now."""
    return any(word.text in _RELATIVE_TIME for word in words)


def _opening(tokens: list[Token], place: int) -> int:
    return _longest(tokens, place, _ASKING)[1]


def _word(tokens: list[Token], place: int, *, first: bool) -> tuple[Word | None, int]:
    token = tokens[place]
    for rules in (_JOINING, _SIGNS):
        sign, length = _longest(tokens, place, rules)
        if length:
            return _sign(tokens[place : place + length], sign), length
    text = token.text.lower()
    if token.kind == "stop":
        return (None if place + 1 == len(tokens) else _counted(token, "sign", ".")), 1
    if text in _FILLERS or (text in _RELATIVE and not first):
        return None, 1
    if token.kind in ("number", "date", "quoted"):
        return _counted(token, token.kind, text), 1
    if token.kind == "symbol":
        return _counted(token, "sign", text), 1
    return _counted(token, "word", token.stem, name=token.capital and not first), 1


def _sign(tokens: list[Token], sign: str) -> Word | None:
    text = " ".join(token.text.lower() for token in tokens)
    if not sign or text in _STOPPING:
        return None
    last = tokens[-1]
    return Word(text if sign == "*" else sign, "sign", text, tokens[0].start, last.end)


def _counted(token: Token, kind: str, text: str, *, name: bool = False) -> Word:
    return Word(text, kind, token.text, token.start, token.end, name)


def _longest(tokens: list[Token], place: int, rules: Mapping[tuple[str, ...], str]) -> tuple[str, int]:
    """The sign of the longest rule whose words stand here, and how many they are."""
    for length in range(min(_LONGEST_PHRASE, len(tokens) - place), 0, -1):
        here = tokens[place : place + length]
        if any(token.kind not in ("word", "symbol") for token in here):
            continue
        sign = rules.get(tuple(token.text.lower() for token in here))
        if sign is not None:
            return sign, length
    return "", 0


def _without_loose_commas(words: list[Word]) -> list[Word]:
    """A comma before an order or at the end joins nothing."""
    kept = []
    for word, following in zip_longest(words, words[1:]):
        loose = word.text == "#and" and word.said == "," and (following is None or following.kind == "sign")
        if not loose:
            kept.append(word)
    return kept


def plain(text: str) -> str:
    """For comparing values: case and outer space don't count."""
    return re.sub(r"\s+", " ", text).strip().casefold()
