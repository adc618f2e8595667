"""A settled query as a sqlglot tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from basejump_planner.comparing import COMPARISONS, among, between, compared, literal
from basejump_planner.identifiers import identifier
from basejump_planner.joining import Joins, Link, Unsure, is_to_one
from basejump_planner.linking import ColumnRef
from basejump_planner.model import Table
from basejump_planner.naming import primary_key
from basejump_planner.query import Aggregated, Counted, Presence, Query, Selected, Shown, Size, SortKey, Test

_AGGREGATES = {"avg": exp.Avg, "sum": exp.Sum, "max": exp.Max, "min": exp.Min}
_ALIASES = {"avg": "average", "sum": "total", "max": "highest", "min": "lowest"}


def build(query: Query, joins: Joins) -> exp.Select:
    """One SELECT.

    Raises:
        Unsure: the tables can't be joined by declared keys in exactly one way.
    """
    return _Builder(query, joins).select()


class _Builder:
    def __init__(self, query: Query, joins: Joins) -> None:
        self.query = query
        self.joins = joins
        self._aliases: dict[tuple[str, str], str] = {}

    def select(self) -> exp.Select:
        query = self.query
        start = self._start()
        tree = exp.Select().from_(self._table(start))
        inner, apart = self._split_tests()
        tree = self._join(tree, start, self._joined_tables(inner))
        for condition in (*self._where(inner), *self._apart(apart)):
            tree = tree.where(condition, copy=False)
        tree = tree.group_by(*(self._column(ref) for ref in query.group_by), copy=False) if query.group_by else tree
        for size in query.sizes:
            tree = tree.having(self._size(size), copy=False)
        if query.count_groups:
            return self._count_groups(tree)
        tree = tree.select(*(self._selected(item) for item in query.selected), copy=False)
        if query.order_by:
            tree = tree.order_by(*(self._ordered(key) for key in query.order_by), copy=False)
        if query.limit is not None:
            tree = tree.limit(query.limit, copy=False)
        return tree.distinct(copy=False) if query.distinct and not query.group_by else tree

    def _start(self) -> Table:
        return self.query.group_by[0].table if self.query.keep_empty else self.query.base

    def _count_groups(self, tree: exp.Select) -> exp.Select:
        inner = tree.select(*(self._column(ref) for ref in self.query.group_by), copy=False)
        return exp.Select().select(exp.Count(this=exp.Star(), big_int=True)).from_(inner.subquery("matching"))

    # --- tables

    def _table(self, table: Table) -> exp.Table:
        alias = self._alias(table)
        return exp.Table(
            this=identifier(table.name), db=identifier(table.schema), alias=exp.TableAlias(this=identifier(alias))
        )

    def _alias(self, table: Table) -> str:
        if table.key not in self._aliases:
            taken = set(self._aliases.values())
            name = table.name
            self._aliases[table.key] = name if name not in taken else f"{table.schema}_{name}"
        return self._aliases[table.key]

    def _column(self, ref: ColumnRef) -> exp.Column:
        return exp.Column(this=identifier(ref.column.name), table=identifier(self._alias(ref.table)))

    def _joined_tables(self, tests: Sequence[tuple[Test | Presence, ...]]) -> list[Table]:
        query = self.query
        refs = [item.ref for item in self._everything_selected() if item.ref is not None]
        refs += query.group_by
        refs += [test.ref for group in tests for test in group if isinstance(test, Test)]
        tables = [ref.table for ref in refs]
        tables += [test.table for group in tests for test in group if isinstance(test, Presence)]
        tables += [item.table for item in self._everything_selected() if isinstance(item, Counted)]
        return list({table.key: table for table in tables}.values())

    def _everything_selected(self) -> list[Selected]:
        query = self.query
        return (
            [*query.selected, *(key.key for key in query.order_by), *(size.counted for size in query.sizes)]
            if (not query.count_groups)
            else [size.counted for size in query.sizes]
        )

    def _join(self, tree: exp.Select, start: Table, tables: Iterable[Table]) -> exp.Select:
        joined = {start.key}
        optional = self._optional_tables(start)
        for table in tables:
            for link in self.joins.path(start, table):
                if link.right.key not in joined:
                    joined.add(link.right.key)
                    side = "left" if self.query.keep_empty or link.right.key in optional else ""
                    tree = tree.join(self._table(link.right), on=self._on(link), join_type=side, copy=False)
        return tree

    def _optional_tables(self, start: Table) -> set[tuple[str, str]]:
        """Tables that only add something to rows that are listed anyway: "employees and their departments"."""
        query = self.query
        if query.group_by or query.order_by or any(not isinstance(item, Shown) for item in query.selected):
            return set()
        shown_tables = [item.ref.table for item in query.selected if isinstance(item, Shown)]
        if start.key not in {table.key for table in shown_tables}:
            return set()
        paths = [self.joins.path(start, table) for table in shown_tables]
        shown = {link.right.key for path in paths if is_to_one(path) for link in path}
        tested = [test.ref.table if isinstance(test, Test) else test.table for group in query.tests for test in group]
        return shown - {link.right.key for table in tested for link in self.joins.path(start, table)}

    def _on(self, link: Link) -> exp.Expr:
        pairs = zip(link.left_columns, link.right_columns, strict=True)
        return exp.and_(
            *(
                exp.EQ(this=self._named(link.left, left), expression=self._named(link.right, right))
                for left, right in pairs
            )
        )

    def _named(self, table: Table, column: str) -> exp.Column:
        return exp.Column(this=identifier(column), table=identifier(self._alias(table)))

    # --- conditions

    def _split_tests(self) -> tuple[list[tuple[Test | Presence, ...]], list[tuple[Test | Presence, ...]]]:
        """Conditions on rows joined one to one, and those on rows of which there may be many: they are asked apart."""
        shown = {ref.table.key for item in self._everything_selected() if (ref := item.ref) is not None}
        shown |= {ref.table.key for ref in self.query.group_by}
        shown |= {item.table.key for item in self._everything_selected() if isinstance(item, Counted)}
        inner: list[tuple[Test | Presence, ...]] = []
        apart: list[tuple[Test | Presence, ...]] = []
        for group in self.query.tests:
            tables = [test.ref.table if isinstance(test, Test) else test.table for test in group]
            negated = any(isinstance(test, Presence) and test.negated for test in group)
            near = all(self._is_near(table, shown) for table in tables)
            (inner if near and not negated else apart).append(group)
        return inner, apart

    def _is_near(self, table: Table, shown: set[tuple[str, str]]) -> bool:
        """Whether the table joins without multiplying rows: from the base, or from a table that is joined anyway."""
        path = self.joins.path(self.query.base, table)
        joined = [position for position, link in enumerate(path, 1) if link.right.key in shown]
        return is_to_one(path[joined[-1] if joined else 0 :])

    def _where(self, groups: Iterable[tuple[Test | Presence, ...]]) -> Iterable[exp.Expr]:
        for group in groups:
            tests = [self._test(test) for test in group if isinstance(test, Test)]
            if tests:
                yield exp.or_(*tests)

    def _apart(self, groups: Sequence[tuple[Test | Presence, ...]]) -> Iterable[exp.Expr]:
        """`key IN (SELECT key FROM many …)`: conditions on the same related rows together."""
        by_table: dict[tuple[str, str], list[tuple[Test | Presence, ...]]] = {}
        for group in groups:
            tables = {(test.ref.table if isinstance(test, Test) else test.table).key for test in group}
            if len(tables) > 1:
                raise Unsure("it joins alternatives in different tables")
            by_table.setdefault(next(iter(tables)), []).append(group)
        for together in by_table.values():
            first = together[0][0]
            table = first.ref.table if isinstance(first, Test) else first.table
            negated = any(isinstance(t, Presence) and t.negated for group in together for t in group)
            if negated and len(together) > 1:
                raise Unsure(f"it isn't clear which rows of {table.name} are not to be there")
            yield self._membership(table, together, negated)

    def _membership(self, table: Table, groups: Iterable[tuple[Test | Presence, ...]], negated: bool) -> exp.Expr:
        path = self.joins.path(self.query.base, table)
        if not path:
            raise Unsure(f"it relates {table.name} to itself")
        inside = _Builder(Query(base=path[0].right, selected=[]), self.joins)
        tree = exp.Select().from_(inside._table(path[0].right))
        for link in path[1:]:
            tree = tree.join(inside._table(link.right), on=inside._on(link), copy=False)
        columns = [inside._named(path[0].right, name) for name in path[0].right_columns]
        tree = tree.select(*columns, copy=False)
        for condition in inside._where(groups):
            tree = tree.where(condition, copy=False)
        if negated:
            for column in columns:
                tree = tree.where(exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null())), copy=False)
        own = [self._named(path[0].left, name) for name in path[0].left_columns]
        left: exp.Expr = own[0] if len(own) == 1 else exp.Tuple(expressions=own)
        member = exp.In(this=left, query=tree.subquery())
        return exp.Not(this=member) if negated else member

    def _test(self, test: Test) -> exp.Expr:
        column = self._column(test.ref)
        if test.average:
            return COMPARISONS[test.operator](this=column, expression=self._average_of(test.ref).subquery())
        match test.operator:
            case "null":
                missing = exp.Is(this=column, expression=exp.Null())
                return exp.Not(this=missing) if test.negated else missing
            case "like":
                like = exp.ILike(this=column, expression=literal(test.constants[0]))
                return exp.Not(this=like) if test.negated else like
            case "in":
                return among(column, test)
            case "between":
                return between(test.ref, column, *test.constants)
            case operator:
                return compared(test.ref, column, operator, test.constants[0])

    def _average_of(self, ref: ColumnRef) -> exp.Select:
        inside = _Builder(Query(base=ref.table, selected=[]), self.joins)
        return exp.Select().select(exp.Avg(this=inside._column(ref))).from_(inside._table(ref.table))

    def _size(self, size: Size) -> exp.Expr:
        return COMPARISONS[size.operator](this=self._count(size.counted), expression=exp.Literal.number(size.number))

    # --- what is selected

    def _selected(self, item: Selected) -> exp.Expr:
        match item:
            case Shown(ref=ref):
                column, alias = self._column(ref), f"{ref.table.name}_{ref.column.name}"
                return exp.alias_(column, identifier(alias[:63])) if self._says_little(ref) else column
            case Aggregated(ref=ref):
                alias = f"{_ALIASES[item.function]}_{ref.column.name}"
                return exp.alias_(self._aggregate(item), identifier(alias[:63]))
            case Counted(table=table):
                name = item.ref.column.name if item.ref is not None else table.name
                return exp.alias_(self._count(item), identifier(f"number_of_{name}"[:63]))

    def _says_little(self, ref: ColumnRef) -> bool:
        """Whether the name of a shown column is also another's, or is just `name` beside a figure."""
        shown = [item.ref for item in self.query.selected if isinstance(item, Shown)]
        alike = sum(other.column.name == ref.column.name for other in shown) > 1
        figures = len(shown) < len(self.query.selected)
        return alike or (figures and ref.column.name.lower() in ("name", "title"))

    def _aggregate(self, item: Aggregated) -> exp.Expr:
        column: exp.Expr = self._column(item.ref)
        if item.distinct:
            column = exp.Distinct(expressions=[column])
        return _AGGREGATES[item.function](this=column)

    def _count(self, counted: Counted) -> exp.Expr:
        if counted.ref is not None:
            return exp.Count(this=exp.Distinct(expressions=[self._column(counted.ref)]), big_int=True)
        if not self.query.keep_empty:
            return exp.Count(this=exp.Star(), big_int=True)
        key = primary_key(counted.table)
        path = self.joins.path(self._start(), counted.table)
        if len(path) > 1:
            if len(key) != 1:
                raise Unsure(f"{counted.table.name} has no single key to count by")
            return exp.Count(this=exp.Distinct(expressions=[self._column(key[0])]), big_int=True)
        name = key[0].column.name if key else path[-1].right_columns[0]
        return exp.Count(this=self._named(counted.table, name), big_int=True)

    def _ordered(self, key: SortKey) -> exp.Ordered:
        descending = key.direction == "desc"
        match key.key:
            case Shown(ref=ref):
                grouped = bool(self.query.group_by) and ref not in self.query.group_by
                if grouped and not set(primary_key(ref.table)) <= set(self.query.group_by):
                    raise Unsure(f"{ref.table.name}.{ref.column.name} has no single value for each group")
                by: exp.Expr = self._column(ref)
            case Aggregated():
                by = self._aggregate(key.key)
            case Counted():
                by = self._count(key.key)
        return exp.Ordered(this=by, desc=descending, nulls_first=False)
