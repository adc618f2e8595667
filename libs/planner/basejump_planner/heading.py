"""Which table a question is about."""

from __future__ import annotations

from basejump_planner.joining import Unsure
from basejump_planner.linking import EXACT, SYNONYM, ColumnMention, Lexicon, TableMention
from basejump_planner.model import Table
from basejump_planner.reading import (
    AggregateItem,
    Comparison,
    CountItem,
    CountOf,
    Draft,
    Likeness,
    Measured,
    Missing,
    Noun,
    Range,
    Related,
    ValueMatch,
)


def mentioned(draft: Draft) -> list[Table]:
    """The tables that the question names, in any part."""
    nouns = [item for item in (*draft.items, *draft.groups) if isinstance(item, Noun)]
    mentions = [noun.table for noun in nouns if noun.table is not None and noun.column is None]
    mentions += [*draft.tables, *(m for m in counted_tables(draft))]
    mentions += [
        c.table for group in draft.conditions for c in group if isinstance(c, (Related, ValueMatch)) and c.table
    ]
    mentions += [noun.table for noun in draft.groups if noun.table is not None]
    return [mention.table for mention in mentions]


def counted_tables(draft: Draft) -> list[TableMention]:
    """The tables whose rows are counted per group."""
    counts = [order.key for order in draft.orders if isinstance(order.key, CountOf)]
    counts += [size.counted for size in draft.sizes]
    return [count.table for count in counts if count.table is not None]


def head_of(draft: Draft, lexicon: Lexicon) -> Table:
    """The table whose rows are listed, counted or measured.

    Raises:
        Unsure: several tables fit equally well, or none does.
    """
    counted = [item for item in draft.items if isinstance(item, CountItem)]
    if counted:
        return _counted_head(counted[0], draft, lexicon)
    columns = _column_phrases(draft)
    if draft.owners:
        return _owner(next(iter(draft.owners.values())), draft, lexicon)
    entities = [item.table for item in draft.items if isinstance(item, Noun) and item.table is not None]
    if draft.tables:
        first = draft.tables[0].table
        if not entities or any(m.column and has(m.column, first) for m in draft.items if isinstance(m, Noun)):
            return _owner(first, draft, lexicon)
    if entities and _is_entity(draft, entities[0]):
        return entities[0].table
    if draft.tables:
        return draft.tables[0].table
    groups = [noun.table for noun in draft.groups if noun.table is not None]
    measured = _tables_of_measured(draft, lexicon)
    if not columns and not groups and len(measured) == 1:
        return measured[0]
    if groups and not any(isinstance(item, AggregateItem) for item in draft.items):
        return groups[0].table
    return _table_of_columns(columns, draft, lexicon)


def _tables_of_measured(draft: Draft, lexicon: Lexicon) -> list[Table]:
    """The tables that have what an adjective or verb measures: for "who earns the most", those with a salary."""
    targets = [order.key for order in draft.orders]
    targets += [c.target for group in draft.conditions for c in group if isinstance(c, (Comparison, Range))]
    nouns = [noun for t in targets if isinstance(t, Measured) for option in t.options for noun in option.nouns]
    return [table for table in lexicon.tables if any(lexicon.named(noun, table) for noun in nouns)]


def _is_entity(draft: Draft, entity: TableMention) -> bool:
    """A noun such as "country" names rows of a table unless the counted table has a column of that name."""
    noun = next(item for item in draft.items if isinstance(item, Noun) and item.table == entity)
    counted = [mention.table for mention in counted_tables(draft)]
    return noun.column is None or not any(has(noun.column, table, EXACT) for table in counted)


def _counted_head(item: CountItem, draft: Draft, lexicon: Lexicon) -> Table:
    table, column = item.noun.table, item.noun.column
    others = [mention.table for mention in draft.tables]
    if column is not None and (table is None or item.distinct):
        for other in others:
            if has(column, other, SYNONYM):
                return other
    if table is not None:
        return table.table
    return _table_of_columns([column] if column else [], draft, lexicon)


def _owner(first: Table, draft: Draft, lexicon: Lexicon) -> Table:
    """The first table named, unless an aggregate measures a column of another."""
    measured = [item.column for item in draft.items if isinstance(item, AggregateItem)]
    if measured and not has(measured[0], first):
        return _table_of_columns(measured, draft, lexicon)
    return first


def _column_phrases(draft: Draft) -> list[ColumnMention]:
    found = [item.column for item in draft.items if not isinstance(item, CountItem) and item.column is not None]
    if found:
        return found
    targets = [order.key for order in draft.orders]
    conditions = [
        c.target for group in draft.conditions for c in group if isinstance(c, (Comparison, Range, Likeness, Missing))
    ]
    return [target for target in (*targets, *conditions) if isinstance(target, ColumnMention)]


def has(mention: ColumnMention, table: Table, level: int = SYNONYM) -> bool:
    """Whether the phrase may mean a column of the table, at least as surely as `level`."""
    return any(c.ref.table.key == table.key and c.level >= level for c in mention.candidates)


def _table_of_columns(columns: list[ColumnMention], draft: Draft, lexicon: Lexicon) -> Table:
    """The one table that fits the columns asked for best."""
    if not columns:
        raise Unsure("it names no table or column of this database")
    scores: list[tuple[int, Table]] = []
    counted = {mention.table.key for mention in counted_tables(draft)}
    named = {table.key for table in mentioned(draft)}
    for table in lexicon.tables:
        levels = [max((c.level for c in m.candidates if c.ref.table.key == table.key), default=0) for m in columns]
        if all(levels):
            scores.append((sum(levels) * 4 + 2 * (table.key in counted) + (table.key in named), table))
    if not scores:
        return _table_of_columns(columns[:1], draft, lexicon) if len(columns) > 1 else _nowhere(columns[0])
    best = max(score for score, _ in scores)
    tables = [table for score, table in scores if score == best]
    if len(tables) > 1:
        tables = [table for table in tables if _holds_values(table, draft)] or tables
    if len(tables) > 1:
        tables = [table for table in tables if _refers_to_groups(table, draft)] or tables
    if len(tables) > 1:
        names = " or ".join(table.name for table in tables[:4])
        raise Unsure(f"“{columns[0].text}” may be of {names}")
    return tables[0]


def _refers_to_groups(table: Table, draft: Draft) -> bool:
    """Whether every table that the question groups by is one that this table's own keys lead to."""
    referred = {(key.references_schema, key.references_table) for key in table.foreign_keys}
    groups = [noun.table.table.key for noun in draft.groups if noun.table is not None]
    return bool(groups) and all(key in referred for key in groups)


def _nowhere(column: ColumnMention) -> Table:
    raise Unsure(f"“{column.text}” belongs to no table")


def _holds_values(table: Table, draft: Draft) -> bool:
    matches = [c for group in draft.conditions for c in group if isinstance(c, ValueMatch)]
    return bool(matches) and all(any((h.schema, h.table) == table.key for h in match.hits) for match in matches)
