"""From tokens to a draft: every word of the question must be accounted for, or be named as not understood."""

from __future__ import annotations

from collections.abc import Sequence

from basejump_planner.arranging import arrangement, each
from basejump_planner.asking import items, next_item, note_owner
from basejump_planner.conditions import condition
from basejump_planner.cursor import Cursor
from basejump_planner.linking import Lexicon
from basejump_planner.model import ValueHit
from basejump_planner.nouns import noun
from basejump_planner.reading import Draft, Item, Noun
from basejump_planner.vocabulary import ACTION_VERBS, ARTICLES, DISTINCT, GLUE, HERE, OPENERS, RELATION_VERBS
from basejump_planner.words import Token


class NotUnderstood(Exception):
    """Words of the question that no rule accounts for."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(", ".join(words))
        self.words = tuple(words)


def parse(tokens: Sequence[Token], lexicon: Lexicon, values: Sequence[ValueHit]) -> Draft:
    """The draft of a question.

    Raises:
        NotUnderstood: some words play no part in what was parsed.
    """
    c = Cursor(tokens, lexicon, values)
    _open(c)
    if c.attempt(each):
        c.skip({",", ":", "and"})
        _open(c)
    c.attempt(items)
    somebody = not c.draft.items and bool(tokens) and tokens[0].text == "who" and c.position == 1
    unknown: list[str] = []
    while not c.at_end:
        if not _modifier(c):
            unknown.append(c.advance().text)
    if somebody and c.draft.tables:  # "who made the latest order" doesn't ask for orders
        unknown.insert(0, "who")
    if unknown or c.draft.alternative:
        raise NotUnderstood(unknown or ["or"])
    return c.draft


def _open(c: Cursor) -> None:
    while c.cue_length(OPENERS) and not _starts_item(c):
        c.cue(OPENERS)


def _starts_item(c: Cursor) -> bool:
    """An opener such as "name" or "state" may be a column: "name and age of …"."""
    token = c.token
    if token is None or token.text not in ("name", "state", "report", "display", "find"):
        return False
    after = c.tokens[c.position + 1].text if c.position + 1 < len(c.tokens) else ""
    return bool(c.columns()) and after in ("and", "of", ",", "for")


def _modifier(c: Cursor) -> bool:
    if c.cue(HERE):
        return True
    if c.attempt(_next_sentence):
        return True
    if c.token is not None and c.token.text == "or" and not c.token.is_quoted:
        c.advance()
        c.draft.alternative = True
        return True
    if arrangement(c) or condition(c):
        return True
    if c.draft.items and not c.draft.alternative and (more := c.attempt(_item_after_table)):
        c.draft.items.extend(more)
        note_owner(c)
        return True
    if c.position and c.word({"where", "when"}) is not None:
        return True
    if not c.draft.items and c.attempt(items):
        return True
    return bool(c.attempt(_table)) or _nothing_said(c)


def _item_after_table(c: Cursor) -> list[Item] | None:
    """`… and their departments` is one more thing to show; `customers and staff` may be two kinds of rows."""
    start = c.position
    more = next_item(c)
    between = {token.text for token in c.tokens[start : c.position]}
    rows = any(isinstance(thing, Noun) and thing.table is not None for thing in more or ())
    if rows and c.draft.tables and not between & {"their", "its", "corresponding", "along", "together"}:
        return None
    return more


def _listed(c: Cursor) -> bool:
    """Whether "and" stands before this: "customers and staff" may be two kinds of rows."""
    before = c.position - 1
    while before > 0 and c.tokens[before].text in ARTICLES:
        before -= 1
    return c.tokens[before].text in ("and", ",", "&")


def _table(c: Cursor) -> bool:
    different = c.cue(DISTINCT) is not None
    table = None if c.draft.tables and _listed(c) else c.table()
    if table is None or (different and any(not isinstance(thing, Noun) for thing in c.draft.items)):
        return False
    c.draft.tables.append(table)
    return True


def _next_sentence(c: Cursor) -> bool:
    """ "Which clubs are in Rome? List their names." The second sentence says what to show of the first one's rows."""
    if c.token is None or c.token.kind != "stop":
        return False
    c.advance()
    _open(c)
    entity = c.draft.items[0] if len(c.draft.items) == 1 else None
    if not isinstance(entity, Noun) or entity.table is None:
        return False
    c.draft.items.clear()
    if not items(c) or not all(isinstance(thing, Noun) and thing.column is not None for thing in c.draft.items):
        return False
    c.draft.tables.insert(0, entity.table)
    return True


def _action(c: Cursor) -> bool:
    verb = c.word(ACTION_VERBS)
    if verb is None:
        return False
    c.draft.verbs.append(verb)
    return True


def _repeated(c: Cursor) -> bool:
    """`… of that age`, where the age is among what is asked for already."""
    if c.word({"that", "those", "this", "same"}) is None:
        return False
    again = noun(c)
    known = [*c.draft.groups, *(thing for thing in c.draft.items if isinstance(thing, Noun))]
    return (
        again is not None
        and again.column is not None
        and any(thing.column is not None and thing.column.candidates == again.column.candidates for thing in known)
    )


def _nothing_said(c: Cursor) -> bool:
    if c.attempt(_action) or c.attempt(_repeated):
        return True
    verb = c.word(RELATION_VERBS)
    if verb is not None:
        c.draft.ties.append(verb)
    return verb is not None or c.word(GLUE) is not None


__all__ = ["NotUnderstood", "parse"]
