"""From a draft to a query: which table it is about, what each phrase means, and whether it all makes sense."""

from __future__ import annotations

from basejump_planner.choosing import Chooser
from basejump_planner.grouping import Grouping
from basejump_planner.heading import head_of, mentioned
from basejump_planner.joining import Joins, Unsure, is_to_one
from basejump_planner.linking import Lexicon
from basejump_planner.meaning import Meaning, refs_of
from basejump_planner.naming import (
    is_key,
    is_text,
    name_columns,
    primary_key,
)
from basejump_planner.query import Counted, Presence, Query, Selected, Shown, Test
from basejump_planner.reading import (
    AgainstAverage,
    Draft,
    Noun,
)
from basejump_planner.vocabulary import PERSONAL_TIES


def settle(draft: Draft, lexicon: Lexicon, joins: Joins) -> Query:
    """The query that a draft means.

    Raises:
        Unsure: a phrase may mean several things, tables can't be joined, or the parts don't fit together.
    """
    head = head_of(draft, lexicon)
    meaning = Meaning(draft, Chooser(lexicon, joins, head, mentioned(draft), draft.owners))
    grouping = Grouping(draft, meaning)
    selected = meaning.selected()
    distinct = draft.distinct or _lists_values(draft, meaning, selected)
    query = Query(base=head, selected=selected, limit=draft.limit, distinct=distinct)
    query.tests = [meaning.alternatives(group) for group in draft.conditions]
    query.tests += [(Presence(table, False),) for table in meaning.related_tables(query)]
    grouping.group(query)
    query.sizes = [grouping.size(size) for size in draft.sizes]
    query.order_by = [grouping.sort_key(order) for order in draft.orders]
    grouping.count_per_row(query)
    _check(query, draft)
    _check_absence(query, joins)
    _check_names(query, draft, lexicon)
    if draft.verbs and not _ties_together(query):
        raise Unsure(f"I don't know what “{draft.verbs[0]}” means here")
    if draft.common:  # having none is nothing that rows have in common
        query.tests += [(Test(ref, "null", (), True),) for ref in query.group_by if not is_key(ref)]
    return query


def _lists_values(draft: Draft, meaning: Meaning, selected: list[Selected]) -> bool:
    """ "Show all majors", with no students in the question, asks which values there are, each once."""
    only = selected[0] if len(selected) == 1 else None
    if not isinstance(only, Shown) or draft.orders or draft.groups:
        return False
    if meaning.head_is_named and only.ref.table.key == meaning.head.key:
        return False
    return is_text(only.ref.column) and not is_key(only.ref)


def _check(query: Query, draft: Draft) -> None:
    averages = [position for position, group in enumerate(draft.conditions) if isinstance(group[0], AgainstAverage)]
    if averages and averages[0] + 1 < len(query.tests):
        raise Unsure("it isn't clear of which rows the average is meant")
    measures = [item for item in query.selected if not isinstance(item, Shown)]
    if measures and not query.group_by and (query.order_by or query.limit):
        raise Unsure("it orders a single figure")
    first = query.order_by[0].key if query.order_by else None
    if draft.most and isinstance(first, Shown) and first.ref.table.key != query.base.key:
        raise Unsure("it isn't clear whether the most is of one row or of all rows together")
    if query.limit is not None and not query.order_by:
        raise Unsure("it asks for some rows without saying by which order")
    equal = [group[0].ref for group in query.tests if len(group) == 1 and _is_equality(group[0])]  # type: ignore[union-attr]
    if len(equal) != len(set(equal)):
        raise Unsure("one column can't equal two values at once, and which rows are to have both isn't clear")
    if query.distinct and (query.order_by or query.limit) and query.group_by:
        query.distinct = False
    if draft.most and isinstance(first, Shown) and is_key(first.ref):
        raise Unsure(f"{first.ref.table.name}.{first.ref.column.name} identifies rows and measures nothing")
    if len(query.tests) > 1 and any(len({_about(test) for test in group}) > 1 for group in query.tests):
        raise Unsure("it isn't clear how far its “and” and “or” reach")
    if draft.common and (not query.group_by or _counts_each_row_once(query)):
        raise Unsure("it isn't clear what is common to what")


def _counts_each_row_once(query: Query) -> bool:
    """ "The most popular product" of a table where each product is one row."""
    key = primary_key(query.base)
    others = {ref.table.key for ref in refs_of(query)} - {query.base.key}
    related = any(isinstance(test, Presence) for group in query.tests for test in group)
    return bool(key) and set(key) <= set(query.group_by) and not others and not related


def _check_absence(query: Query, joins: Joins) -> None:
    """ "Without orders from Rome": whether Rome is said of the rows or of what they lack can't be told."""
    tests = [test for group in query.tests for test in group]
    for test in tests:
        if isinstance(test, Test) and test.negated and not is_to_one(joins.path(query.base, test.ref.table)):
            raise Unsure("it isn't clear whether none or only some of the related rows are to be different")
    if not any(isinstance(test, Presence) and test.negated for test in tests):
        return
    for test in tests:
        table = test.ref.table if isinstance(test, Test) else test.table
        absent = isinstance(test, Presence) and test.negated
        if not absent and not is_to_one(joins.path(query.base, table)):
            raise Unsure("it isn't clear which related rows are not to be there")


def _ties_together(query: Query) -> bool:
    """Whether rows are tied to other tables or found values, so that a verb between them needs no meaning."""
    tables = {ref.table.key for ref in (*refs_of(query), *query.group_by)} | {query.base.key}
    tables |= {item.table.key for item in query.selected if isinstance(item, Counted)}
    tables |= {size.counted.table.key for size in query.sizes}
    tables |= {key.key.table.key for key in query.order_by if isinstance(key.key, Counted)}
    tests = [test for group in query.tests for test in group]
    return len(tables) > 1 or any(isinstance(t, Presence) or t.operator == "in" for t in tests) or bool(query.group_by)


def _check_names(query: Query, draft: Draft, lexicon: Lexicon) -> None:
    """ "Who reports to King?" isn't about King himself, nor are "the friends of Bob" Bob."""
    named = [test.ref for group in query.tests for test in group if isinstance(test, Test) and _is_equality(test)]
    own = name_columns(query.base, lexicon)
    refers_to_itself = any(
        (key.references_schema, key.references_table) == query.base.key for key in query.base.foreign_keys
    )
    columns = [item.column.text for item in draft.items if isinstance(item, Noun) and item.column is not None]
    said = (*draft.verbs, *draft.ties, *(word for text in columns for word in text.split()))
    verbs = [verb for verb in said if verb in PERSONAL_TIES]
    if refers_to_itself and verbs and any(ref in own for ref in named):
        raise Unsure(f"I don't know what “{verbs[0]}” means here")
    shown = [item.ref for item in query.selected if item.ref is not None]
    counts = any(isinstance(item, Counted) and item.ref is None for item in query.selected)
    if shown and not counts and set(shown) <= set(named) and not query.distinct and len(query.tests) == 1:
        raise Unsure("it would only repeat what it asks about")


def _about(test: Test | Presence) -> object:
    return test.ref if isinstance(test, Test) else test.table.key


def _is_equality(test: Test | Presence) -> bool:
    return isinstance(test, Test) and test.operator in ("in", "=") and not test.negated
