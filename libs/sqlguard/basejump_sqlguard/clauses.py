"""The expressions of a query: every name inside them is settled, wherever it hides."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from basejump_sqlguard.columns import ColumnResolver
from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.shapes import refuse_function
from basejump_sqlguard.sources import Field, Output, Scope
from basejump_sqlguard.trees import children

Ctes = dict[str, Output]
QueryResolver = Callable[[exp.Expr, Scope | None, Ctes], Output]

_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery)
_CLAUSES = ("where", "group", "having", "qualify", "windows", "distinct", "limit", "offset", "sample")

# Where a bare identifier is a name that the query itself gives, or a keyword argument.
_NAMING = (
    exp.Alias, exp.Aliases, exp.TableAlias, exp.CTE, exp.PropertyEQ, exp.Kwarg, exp.JSONColumnDef,
    exp.OpenJSONColumnDef, exp.ColumnDef, exp.Dot, exp.Unnest, exp.Window, exp.Anonymous, exp.PivotAlias,
    exp.XMLElement, exp.DataType, exp.Star, exp.Collate, exp.Table, exp.Extract,
)  # fmt: skip

# Where sqlglot's own name for a function isn't the one that is written.
_OWN_NAMES = {
    exp.ExplodingGenerateSeries: "generate_series",
    exp.Explode: "flatten",
    exp.JSONTable: "json_table",
    exp.OpenJSON: "openjson",
    exp.XMLTable: "xmltable",
}


class ClauseResolver:
    """Settles expressions; nested queries go back to `query`, the resolver of queries."""

    def __init__(self, rules: Rules, columns: ColumnResolver, query: QueryResolver) -> None:
        self._rules = rules
        self._columns = columns
        self._query = query

    def of_select(self, node: exp.Select, scope: Scope, ctes: Ctes) -> None:
        """The select list first, then every other clause."""
        for item in node.expressions:
            if isinstance(item, exp.Alias):
                name = self._rules.key(item.args["alias"])
                scope.aliases[name.lower()] = item
                item.set("alias", self._rules.identifier(name))
        self.expressions(node.expressions, scope, ctes)
        group = node.args.get("group")
        grouped = list(group.expressions) if group is not None else []
        aliased = {id(key) for key in grouped if self._is_alias_of(key, scope)}
        for name in _CLAUSES:
            for clause in _as_list(node.args.get(name)):
                self.expressions([clause], scope, ctes, skip=aliased)
        self._order(node.args.get("order"), scope, ctes)

    def ordering(self, node: exp.Expr, scope: Scope, ctes: Ctes, output: Output) -> None:
        """ORDER BY, LIMIT and OFFSET of a set operation or a parenthesised query: they see its output only."""
        scope.sources = []
        order = node.args.get("order")
        for ordered in order.expressions if order is not None else ():
            column = ordered.this
            if isinstance(column, exp.Column) and not output.open and not column.table:
                self._output_column(column, output)
            elif not isinstance(column, exp.Column):
                self.expressions([column], scope, ctes)
        for name in ("limit", "offset"):
            self.expressions(_as_list(node.args.get(name)), scope, ctes)

    def _output_column(self, column: exp.Column, output: Output) -> None:
        name = self._rules.key(column.this)
        found = next((f for f in output.fields if f.name == name), None)
        found = found or next((f for f in output.fields if f.name.lower() == name.lower()), None)
        if found is None:
            names = tuple(f.name for f in output.fields if f.name)
            raise Refused("unknown_column", f"ORDER BY {name}: the result has no such column.", name, names[:3])
        self._columns.settle(column)
        column.set("this", self._rules.identifier(found.name))

    def expressions(self, roots: Iterable[exp.Expr], scope: Scope, ctes: Ctes, skip: Iterable[int] = ()) -> None:
        """Settles every column and every nested query below `roots`."""
        skipped = set(skip)
        stack = [(root, frozenset[str]()) for root in roots]
        while stack:
            node, parameters = stack.pop()
            if id(node) in skipped:
                continue
            if isinstance(node, exp.Column):
                self._column(node, scope, parameters)
                if isinstance(node.this, exp.Star):
                    self._star(node.this, scope, ctes)
            elif isinstance(node, _QUERIES):
                self._query(node, scope, ctes)
            elif isinstance(node, exp.Identifier):
                self._identifier(node, parameters)
            elif isinstance(node, exp.Star):
                _check_star(node)
                self._star(node, scope, ctes)
            elif isinstance(node, exp.Columns):
                self._columns_expression(node, scope, ctes)
            elif isinstance(node, exp.PositionalColumn) and not _all_open(scope):
                raise Refused("unsupported_syntax", "Columns can only be read by their names.", f"#{node.name}")
            else:
                if isinstance(node, exp.Lambda):
                    parameters = parameters | {item.name.lower() for item in node.expressions}
                elif isinstance(node, exp.Comprehension):
                    parameters = parameters | {node.expression.name.lower()}
                stack += [(child, parameters) for child in children(node)]

    def _columns_expression(self, node: exp.Columns, scope: Scope, ctes: Ctes) -> None:
        """DuckDB's COLUMNS(…): any columns of any relation here, so none of them may be ignored."""
        tables = [source.table for source in scope.sources if source.table is not None]
        if any(column.ignored for table in tables for column in table.columns):
            raise Refused("unsupported_syntax", "COLUMNS over a table with columns that aren't permitted.")
        if isinstance(node.this, exp.Star):
            self._star(node.this, scope, ctes)
        elif not isinstance(node.this, exp.Literal):
            self.expressions([node.this], scope, ctes)

    def _star(self, star: exp.Star, scope: Scope, ctes: Ctes) -> None:
        """What stays `*`: the columns it leaves out or renames can't be known, those it replaces are expressions."""
        renamed = (item.this for item in star.args.get("rename") or ())
        self._columns.settle(*(star.args.get("except_") or ()), *renamed)
        self.expressions([item.this for item in star.args.get("replace") or ()], scope, ctes)

    def _column(self, node: exp.Column, scope: Scope, parameters: frozenset[str]) -> None:
        self._columns.settle(node)
        first = node.parts[0]
        if str(first.this).lower() in parameters:
            return
        if isinstance(node.this, exp.Star) and node.is_star and self._is_output_star(node):
            return
        self._columns.resolve(node, scope)

    def _is_output_star(self, node: exp.Column) -> bool:
        # Stars over columns that can't be known were left in the select list by `expand_stars`.
        return isinstance(node.parent, exp.Select) and node.arg_key == "expressions"

    def _identifier(self, node: exp.Identifier, parameters: frozenset[str]) -> None:
        argument = isinstance(node.parent, exp.Anonymous) and node.arg_key == "expressions"
        named = (isinstance(node.parent, _NAMING) and not argument) or str(node.this).lower() in parameters
        if not named and not (isinstance(node.parent, exp.Lambda) and node.arg_key == "expressions"):
            raise Refused("unsupported_syntax", f"{node.name} can't be understood there.", where=node.name)

    def _is_alias_of(self, key: exp.Expr, scope: Scope) -> bool:
        """GROUP BY a name that only the select list knows."""
        if not isinstance(key, exp.Column) or key.args.get("table") is not None:
            return False
        name = self._rules.key(key.this)
        if name in scope.merged or any(source.find(name) is not None for source in scope.sources):
            return False
        return self._write_alias(key, name, scope)

    def _write_alias(self, column: exp.Column, name: str, scope: Scope) -> bool:
        item = scope.aliases.get(name.lower())
        if item is None:
            return False
        self._columns.settle(column)
        column.set("this", self._rules.identifier(self._rules.key(item.args["alias"])))
        return True

    def _order(self, order: exp.Expr | None, scope: Scope, ctes: Ctes) -> None:
        for ordered in order.expressions if order is not None else ():
            key = ordered.this if isinstance(ordered, exp.Ordered) else ordered
            if isinstance(key, exp.Column) and self._orders_by_output(key, scope):
                continue
            self.expressions([ordered], scope, ctes)

    def _orders_by_output(self, key: exp.Column, scope: Scope) -> bool:
        """ORDER BY a bare name means the select item of that name before it means a column."""
        if key.args.get("table") is not None or isinstance(key.this, exp.Star):
            return False
        name = self._rules.key(key.this)
        if name.lower() in scope.aliases:
            return self._write_alias(key, name, scope)
        if name.upper() == "ALL" and not key.this.args.get("quoted") and self._rules.aliases_anywhere:
            self._columns.settle(key)
            return True
        assert isinstance(scope.node, exp.Select)
        same = [c for c in scope.node.expressions if isinstance(c, exp.Column) and c.name.lower() == name.lower()]
        if len(same) == 1 and name not in scope.merged and not same[0].is_star:
            again = same[0].copy()
            key.replace(again)
            self._columns.settle(again)
            return True
        return False

    def table_function(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> tuple[Output, str]:
        """A function in FROM: it is listed as one, its arguments are settled; what it gives, and its name."""
        call = node.this if isinstance(node, (exp.Table, exp.Lateral, exp.TableFromRows)) else node
        if isinstance(call, exp.TableFromRows):
            call = call.this
        if isinstance(call, exp.Dot):
            call = call.expression
        if not isinstance(call, exp.Func):
            raise Refused("unsupported_syntax", "Only tables, queries and functions can be read from.")
        name = self._function_name(call)
        self.expressions(children(call), scope, ctes)
        return self._function_output(node, call, name), name

    def _function_name(self, call: exp.Func) -> str:
        tables = self._rules.functions.tables
        written = [str(call.name)] if isinstance(call, exp.Anonymous) else list(call.sql_names())
        written += [name for kind, name in _OWN_NAMES.items() if isinstance(call, kind)]
        name = next((item.lower() for item in written if item.lower() in tables), None)
        if name is None:
            refuse_function(written[0], self._rules)
        assert name is not None
        return name

    def _function_output(self, node: exp.Expr, call: exp.Func, name: str) -> Output:
        if isinstance(call, exp.JSONTable):
            return Output([Field(self._rules.key(c.this)) for c in call.find_all(exp.JSONColumnDef) if c.this])
        if isinstance(call, exp.XMLTable):
            return Output([Field(self._rules.key(c.this)) for c in call.args.get("columns") or ()])
        if isinstance(call, exp.OpenJSON):
            columns = [self._rules.key(c.this) for c in call.expressions]
            return Output([Field(item) for item in columns or ("key", "value", "type")])
        columns_known = self._rules.functions.tables[name]
        if columns_known is None or not self._rules.columns_of_functions:
            return Output([], (), open=True)
        alias = node.args.get("alias")
        own = self._rules.key(alias.this) if alias is not None and alias.this is not None else name
        fields = [Field(item or own) for item in columns_known]
        if isinstance(call, exp.Unnest) and len(call.expressions) > 1:
            fields = [Field(own) for _ in call.expressions]
        number = call.args.get("offset")
        if node.args.get("ordinality") or number:
            fields.append(Field(self._rules.key(number) if isinstance(number, exp.Identifier) else "ordinality"))
        return Output(fields)


def _all_open(scope: Scope) -> bool:
    return bool(scope.sources) and all(source.open for source in scope.sources)


def _as_list(value: object) -> list[exp.Expr]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, exp.Expr)]


def _check_star(node: exp.Star) -> None:
    inside = node.parent
    if isinstance(inside, exp.Count) or (isinstance(inside, exp.Select) and node.arg_key == "expressions"):
        return
    raise Refused("whole_row", "* can't be used as a value here.", where="*")
