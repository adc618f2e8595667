"""Walks a query from the inside of its FROM outwards, and settles what every name in it means.

Own code instead of sqlglot's `qualify`, because that one lets through what it doesn't know; here a name that
isn't understood ends the proof.
"""

from __future__ import annotations

from sqlglot import exp

from basejump_sqlguard.catalog import Catalog
from basejump_sqlguard.clauses import ClauseResolver
from basejump_sqlguard.columns import ColumnResolver
from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.outputs import check_count, output_of_select, renamed
from basejump_sqlguard.pivots import check_pivoted, made_columns, named_by
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.sources import Field, Findings, JoinStep, Output, Scope, Source
from basejump_sqlguard.stars import expand_stars
from basejump_sqlguard.tables import check_uncatalogued, find_table, write_table
from basejump_sqlguard.trees import nodes

Ctes = dict[str, Output]

_MODIFIERS = ("sample", "when", "version")


class Resolver:
    """Resolves one tree in place; `findings` is what later passes read."""

    def __init__(self, rules: Rules, catalog: Catalog | None) -> None:
        self.rules = rules
        self.findings = Findings()
        self._catalog = catalog
        self._columns = ColumnResolver(rules, self.findings)
        self._clauses = ClauseResolver(rules, self._columns, self.query)

    def query(self, node: exp.Expr, parent: Scope | None, ctes: Ctes) -> Output:
        """Settles a query and everything inside it; what it gives."""
        ctes = self._with(node, parent, ctes)
        if isinstance(node, exp.Select):
            return self._select(node, parent, ctes)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, parent, ctes)
        if isinstance(node, exp.Subquery):
            inner = self.query(node.this, parent, ctes)
            self._clauses.ordering(node, Scope(node, parent), ctes, inner)
            return inner
        if isinstance(node, exp.Values):
            return self._values(node, parent, ctes)
        if isinstance(node, exp.Pivot):
            return self._pivot_statement(node, ctes)
        raise Refused("not_a_query", "Only queries may be nested.", where=type(node).__name__)

    def _with(self, node: exp.Expr, parent: Scope | None, outer: Ctes) -> Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return outer
        ctes = dict(outer)
        later = {self.rules.key(cte.args["alias"].this) for cte in clause.expressions}
        for cte in clause.expressions:
            name = self.rules.key(cte.args["alias"].this)
            later.discard(name)
            if clause.recursive and any(self.rules.key(table.this) in later for table in _bare_tables(cte)):
                raise Refused("unsupported_syntax", "A recursive WITH may only read what is before it.", name)
            self._cte(cte, name, (clause, parent), ctes)
            if clause.args.get("search") is not None and cte is clause.expressions[-1]:
                self._ordered_search(clause.args["search"], ctes[name])
        return ctes

    def _ordered_search(self, search: exp.Expr, output: Output) -> None:
        """SEARCH and CYCLE compare a column of the query they follow and add columns to it."""
        name = self.rules.key(search.this)
        if not output.open and all(item.name != name for item in output.fields):
            raise Refused("unknown_column", f"{name} isn't a column of that query.", where=name)
        added = [search.args.get("expression"), search.args.get("using")]
        output.fields += [Field(self.rules.key(item)) for item in added if isinstance(item, exp.Identifier)]

    def _cte(self, cte: exp.CTE, name: str, context: tuple[exp.With, Scope | None], ctes: Ctes) -> None:
        clause, parent = context
        alias = cte.args["alias"]
        body = cte.this
        recursive = clause.recursive or self.rules.self_recursion
        if recursive and isinstance(body, exp.SetOperation):
            anchors = self._with(body, parent, ctes)
            first = self.query(body.this, parent, anchors)
            seen = renamed(Output(first.fields, (), first.open), alias, self.rules)
            output = self._second_branch(body, parent, {**anchors, name: seen}, first)
        else:
            output = self.query(body, parent, ctes)
        check_count(alias, output)
        ctes[name] = renamed(output, alias, self.rules)
        alias.set("this", self.rules.identifier(name))

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None, ctes: Ctes) -> Output:
        return self._second_branch(node, parent, ctes, self.query(node.this, parent, ctes))

    def _second_branch(self, node: exp.SetOperation, parent: Scope | None, ctes: Ctes, first: Output) -> Output:
        second = self.query(node.expression, parent, ctes)
        by_name = node.args.get("by_name")
        if not (first.open or second.open or by_name) and len(first.fields) != len(second.fields):
            raise Refused(
                "column_count",
                f"The parts of the {node.key} give {len(first.fields)} and {len(second.fields)} columns.",
            )
        fields = [Field(item.name) for item in first.fields]
        distinct = node.args.get("distinct")
        unique = (frozenset(item.name for item in fields),) if distinct and fields else ()
        output = Output(fields, unique, first.open or second.open or bool(by_name))
        self._clauses.ordering(node, Scope(node, parent), ctes, output)
        return output

    def _values(self, node: exp.Values, parent: Scope | None, ctes: Ctes) -> Output:
        rows = [_without_row(item) for item in node.expressions]
        node.set("expressions", rows)
        self._clauses.expressions(rows, Scope(node, parent), ctes)
        width = len(rows[0].expressions) if isinstance(rows[0], (exp.Tuple, exp.Anonymous)) else 1
        first = 0 if self.rules.name in ("duckdb", "mysql") else 1
        prefix = {"duckdb": "col", "mysql": "column_"}.get(self.rules.name, "column")
        return Output([Field(f"{prefix}{i + first}") for i in range(width)])

    def _select(self, node: exp.Select, parent: Scope | None, ctes: Ctes) -> Output:
        scope = Scope(node, parent)
        self.findings.scopes.append(scope)
        source = node.args.get("from_")
        if source is not None:
            self._relation(source.this, scope, ctes)
        for lateral in node.args.get("laterals") or ():
            self._joined(exp.Join(this=lateral), scope, ctes)
        self._joins(node, scope, ctes)
        expand_stars(node, scope, self._columns)
        self._clauses.of_select(node, scope, ctes)
        return output_of_select(node, scope, self.findings, self.rules)

    def _joins(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        joins = node.args.get("joins") or ()
        for join in joins:
            self._joined(join, scope, ctes)
        for join in joins:
            conditions = [join.args[name] for name in ("on", "match_condition") if join.args.get(name) is not None]
            self._clauses.expressions(conditions, scope, ctes)

    def _joined(self, join: exp.Join, scope: Scope, ctes: Ctes) -> None:
        for argument in ("nearest", "expressions", "pivots"):
            if join.args.get(argument):
                raise Refused("unsupported_syntax", "This form of JOIN can't be proved.")
        before = len(scope.sources)
        self._relation(join.this, scope, ctes)
        new = scope.sources[before:]
        using = self._merge(join, scope, before)
        kind = f"{join.side} {join.kind}".strip()
        lateral = isinstance(join.this, (exp.Lateral, exp.Unnest)) or _is_function(join.this)
        for index, source in enumerate(new):
            last = index == len(new) - 1
            condition = join.args.get("on") if last else None
            scope.joins.append(JoinStep(source, kind, condition, using if last else (), lateral))

    def _merge(self, join: exp.Join, scope: Scope, before: int) -> tuple[str, ...]:
        """USING and NATURAL: the columns that both sides share become one."""
        left, right = scope.sources[:before], scope.sources[before:]
        written = [
            self.rules.key(item if isinstance(item, exp.Identifier) else item.this)
            for item in join.args.get("using") or ()
        ]
        if join.method == "NATURAL" and self._catalog is None and any(s.open for s in (*left, *right)):
            return ()
        if join.method == "NATURAL":
            written = self._common(left, right)
            join.set("method", None)
            if not written:
                raise Refused("natural_join", "NATURAL JOIN finds no common column; write the condition.")
        elif join.method not in ("", "POSITIONAL") and not (join.method == "ASOF" and (written or join.args.get("on"))):
            raise Refused("unsupported_syntax", f"{join.method} JOIN can't be proved.")
        names = [self._merged(name, scope, left, right) for name in written]
        if names:
            join.set("using", [self.rules.identifier(name) for name in names])
        return tuple(names)

    def _common(self, left: list[Source], right: list[Source]) -> list[str]:
        if any(source.open for source in (*left, *right)):
            raise Refused("natural_join", "NATURAL JOIN needs columns that are known; write the condition.")
        names = [f.name for source in right for f in source.visible()]
        tables = [s.table for s in (*left, *right) if s.table is not None]
        if any(column.ignored for table in tables for column in table.columns):
            raise Refused("natural_join", "NATURAL JOIN could use columns that aren't permitted; write the condition.")
        return [name for name in names if any(source.find(name) for source in left)]

    def _merged(self, name: str, scope: Scope, left: list[Source], right: list[Source]) -> str:
        hits = [item for side in (left, right) for source in side if (item := source.find(name)) is not None]
        already = scope.merged.get(name)
        is_open = any(source.open for source in (*left, *right))
        if any(item.ignored for item in hits) or (len(hits) < 2 and not is_open and already is None):
            raise Refused("unknown_column", f"USING ({name}): both sides need that column.", where=name)
        found = hits[0] if hits else Field(name)
        scope.merged[found.name] = found
        self._columns.note(hits)
        return found.name

    def _relation(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        """Adds what a FROM item gives to the scope."""
        self._clauses.expressions([node.args[name] for name in _MODIFIERS if node.args.get(name)], scope, ctes)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            if not (self.rules.structs and self._array(node, scope)):
                self._table(node, scope, ctes)
        elif node.args.get("rows_from"):
            self._functions_side_by_side(node, scope, ctes)
        elif isinstance(node, exp.Subquery):
            self._derived(node, scope, ctes)
        elif isinstance(node, exp.Values):
            output = self.query(node, scope.parent, ctes)
            self._add(scope, node, output)
        elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            self._add(scope, node, self.query(node.this, scope, ctes))
        elif isinstance(node, exp.Paren) and isinstance(node.this, (exp.Table, exp.Subquery)):
            self._relation(node.this, scope, ctes)
        else:
            self._function(node, scope, ctes)
        self._joins(node, scope, ctes)

    def _table(self, node: exp.Table, scope: Scope, ctes: Ctes) -> None:
        partition = node.args.get("partition")
        self._columns.settle(node, *(partition.expressions if partition is not None else ()))
        name = self.rules.key(node.this)
        cte = _cte_named(name, ctes, self.rules) if _is_bare(node) else None
        if cte is not None:
            node.set("this", self.rules.identifier(cte))
            self._add(scope, node, ctes[cte], cte)
        elif self._catalog is None:
            check_uncatalogued(node, self.rules)
            self._add(scope, node, Output([], (), open=True), name)
            self.findings.tables[node.db, node.name, node.alias_or_name] = False
        else:
            self._catalogued(node, scope, self._catalog)
        self._pivots(node, scope, ctes)

    def _array(self, node: exp.Table, scope: Scope) -> bool:
        """`FROM orders o, o.items`: the elements of an array column of what is before it."""
        if node.args.get("db") is None or node.args.get("catalog") is not None:
            return False
        source = scope.source(self.rules.key(node.args["db"]))
        if source is None:
            return False
        column = exp.Column(this=node.this.copy(), table=node.args["db"].copy())
        self._columns.resolve(column, scope)
        node.set("this", column.this)
        node.set("db", column.args["table"])
        self._add(scope, node, Output([], (), open=True), node.name)
        return True

    def _functions_side_by_side(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        fields: list[Field] = []
        for item in node.args["rows_from"]:
            fields += self._clauses.table_function(item, scope, ctes)[0].fields
        fields += [Field("ordinality")] if node.args.get("ordinality") else []
        self._add(scope, node, Output(fields))

    def _catalogued(self, node: exp.Table, scope: Scope, catalog: Catalog) -> None:
        alias = node.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            raise Refused("unsupported_syntax", "The columns of a table can't be renamed in FROM.")
        table = find_table(node, catalog, self.rules)
        write_table(node, table, self.rules)
        name = self._alias(node) or table.name
        self._check_free(scope, name)
        scope.sources.append(Source(name, Output([]), catalog.prepared(table)))
        self.findings.tables[table.schema, table.name, name] = True

    def _pivots(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        for pivot in node.args.get("pivots") or ():
            source = scope.sources.pop()
            check_pivoted([source])
            inside = Scope(pivot, None, [Source("", source.output, source.prepared)])
            named = named_by(pivot, self.rules)
            self._columns.settle(*named, *made_columns(pivot))
            parts = list(_children(pivot, {"alias", "columns"}))
            self._clauses.expressions(parts, inside, ctes, skip=[id(item) for item in named])
            self._add(scope, pivot, Output([], (), open=True), source.alias)

    def _pivot_statement(self, node: exp.Pivot, ctes: Ctes) -> Output:
        scope = Scope(node, None)
        self._relation(node.this, scope, ctes)
        check_pivoted(scope.sources)
        scope.sources[0].alias = ""
        self._columns.settle(*made_columns(node))
        self._clauses.expressions(list(_children(node, {"this", "with_", "columns", "into"})), scope, ctes)
        return Output([], (), open=True)

    def _derived(self, node: exp.Subquery, scope: Scope, ctes: Ctes) -> None:
        inner = node.this
        wrapped = isinstance(inner, exp.Subquery) or (
            isinstance(inner, exp.Table) and isinstance(inner.this, exp.Identifier)
        )
        if wrapped and node.args.get("alias") is None and not node.args.get("with_"):
            before = len(scope.sources)
            self._relation(inner, scope, ctes)
            if node.args.get("pivots") and len(scope.sources) - before != 1:
                raise Refused("unsupported_syntax", "PIVOT needs one table or query.")
            self._pivots(node, scope, ctes)
            return
        if isinstance(inner, exp.Table):
            # Its row would be that of the table, with every column there is.
            raise Refused("unsupported_syntax", "Tables in parentheses can't have a name of their own.")
        # A derived table sees the query around its own, not its neighbours.
        output = self.query(node, scope.parent, ctes)
        check_count(node.args.get("alias"), output)
        self._add(scope, node, output)
        self._pivots(node, scope, ctes)

    def _function(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        """A table function; it may read the relations before it."""
        output, name = self._clauses.table_function(node, scope, ctes)
        self._add(scope, node, output, name)

    def _add(self, scope: Scope, node: exp.Expr, output: Output, name: str = "") -> None:
        alias = node.args.get("alias")
        output = renamed(output, alias, self.rules) if alias is not None else output
        name = self._alias(node) or name
        if name:
            self._check_free(scope, name)
        scope.sources.append(Source(name, output))

    def _alias(self, node: exp.Expr) -> str:
        alias = node.args.get("alias")
        if not isinstance(alias, exp.TableAlias) or alias.this is None:
            return ""
        name = self.rules.key(alias.this)
        alias.set("this", self.rules.identifier(name))
        return name

    def _check_free(self, scope: Scope, name: str) -> None:
        if any(source.alias == name for source in scope.sources):
            raise Refused("duplicate_alias", f"{name} names two relations of one query.", where=name)


def _is_bare(node: exp.Expr) -> bool:
    return node.args.get("db") is None and node.args.get("catalog") is None


def _bare_tables(node: exp.Expr) -> list[exp.Table]:
    found = (table for table in nodes(node) if isinstance(table, exp.Table))
    return [table for table in found if _is_bare(table) and isinstance(table.this, exp.Identifier)]


def _without_row(row: exp.Expr) -> exp.Expr:
    """MySQL's `VALUES ROW(1, 2)`: sqlglot has a row with one ROW(…) in it, and writes that."""
    inside = row.expressions[0] if isinstance(row, exp.Tuple) and len(row.expressions) == 1 else None
    is_row = isinstance(inside, exp.Anonymous) and str(inside.this).upper() == "ROW"
    return inside if is_row and inside is not None else row


def _is_function(node: exp.Expr) -> bool:
    return isinstance(node, exp.Table) and isinstance(node.this, exp.Func)


def _cte_named(name: str, ctes: Ctes, rules: Rules) -> str | None:
    if name in ctes:
        return name
    if rules.exact:
        return None
    return next((known for known in ctes if known.lower() == name.lower()), None)


def _children(node: exp.Expr, without: set[str]) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    for key, value in node.args.items():
        if key not in without:
            found += [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, exp.Expr)]
    return found
