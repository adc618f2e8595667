"""Columns exist, are permitted, and belong to one relation; afterwards each says which."""

from __future__ import annotations

from difflib import get_close_matches

from sqlglot import exp

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.sources import Field, Findings, Scope, Source
from basejump_sqlguard.system_names import is_session_word, is_system_column


class ColumnResolver:
    """Gives every column node the relation and the spelling that the catalog says."""

    def __init__(self, rules: Rules, findings: Findings) -> None:
        self.rules = rules
        self._findings = findings

    def resolve(self, column: exp.Column, scope: Scope) -> None:
        """Qualifies the node in place; raises Refused when it can't be one permitted column."""
        if isinstance(column.this, exp.Star):
            raise Refused("whole_row", "A whole row can't be used as a value.", where=self._written(column))
        if self.rules.name == "snowflake" and column.name.lower() == "nextval" and not column.this.args["quoted"]:
            raise Refused("forbidden_function", "NEXTVAL advances a sequence.", where=self._written(column))
        if column.args.get("table") is not None:
            self._qualified(column, scope)
        else:
            self._unqualified(column, scope)

    def settle(self, *nodes: exp.Expr) -> None:
        """Records that somebody has decided what these nodes mean."""
        self._findings.settled.update(id(node) for node in nodes)

    def note(self, hits: list[Field]) -> None:
        """Records catalog columns that are used without a node of their own (USING)."""
        for found in hits:
            if found.origin is not None:
                table, column = found.origin
                self._findings.columns[table.schema, table.name, column.name] = column.type

    def bind(self, column: exp.Column, source: Source | None, found: Field) -> None:
        """Records what the node stands for and writes it out in full."""
        if found.ignored:
            raise self._unknown(column, None)
        self._findings.bound[id(column)] = (source, found)
        self.settle(column)
        if found.origin is not None:
            table, catalog_column = found.origin
            key = (table.schema, table.name, catalog_column.name)
            self._findings.columns[key] = catalog_column.type
        if source is not None and source.open:
            return
        column.set("this", self.rules.identifier(found.name))
        for written in ("db", "catalog"):
            if column.args.get(written) is not None:
                column.set(written, None)
        qualifier = self.rules.identifier(source.alias) if source is not None and source.alias else None
        column.set("table", qualifier)

    def _qualified(self, column: exp.Column, scope: Scope) -> None:
        alias = self.rules.key(column.args["table"])
        for level in scope.chain():
            source = level.source(alias)
            if source is not None and self._schema_fits(column, source):
                self._take(column, source, scope)
                return
        if self.rules.structs and self._field_of_column(column, scope):
            return
        names = tuple(item.alias for item in scope.sources if item.alias)
        reason = f"{alias} isn't a table or alias of this query; it has {', '.join(names) or 'none'}."
        near = get_close_matches(alias, names, n=3, cutoff=0.6)
        raise Refused("unknown_alias", reason, where=self._written(column), suggestions=tuple(near))

    def _schema_fits(self, column: exp.Column, source: Source) -> bool:
        schema = column.args.get("db")
        if schema is None:
            return True
        if source.open:
            return True
        known = source.table.schema if source.table else None
        return known is not None and known.lower().rpartition(".")[2] == self.rules.key(schema).lower()

    def _take(self, column: exp.Column, source: Source, scope: Scope) -> None:
        name = self.rules.key(column.this)
        found = source.find(name)
        if found is not None:
            self.bind(column, source, found)
        elif source.open and not is_system_column(name, self.rules.name):
            self._findings.bound[id(column)] = (source, Field(name))
        else:
            raise self._unknown(column, source, scope)

    def _unqualified(self, column: exp.Column, scope: Scope) -> None:
        name = self.rules.key(column.this)
        for level in scope.chain():
            if self._in_level(column, name, level):
                if level is not scope and _is_captured(column, scope):
                    raise self._captured(column)
                return
        if self._from_open(column, name, scope) or self._alias_or_row(column, name, scope):
            return
        raise self._unknown(column, None, scope)

    def _in_level(self, column: exp.Column, name: str, level: Scope) -> bool:
        merged = level.merged.get(name) or level.merged.get(name.lower())
        if merged is not None:
            self.bind(column, None, merged)
            return True
        hits = [(source, found) for source in level.sources if (found := source.find(name)) is not None]
        if len(hits) > 1:
            raise self._ambiguous(column, hits)
        if hits:
            self.bind(column, *hits[0])
        return bool(hits)

    def _from_open(self, column: exp.Column, name: str, scope: Scope) -> bool:
        if is_system_column(name, self.rules.name):
            return False
        for level in scope.chain():
            for source in level.sources:
                if source.open:
                    self._check_word(column)
                    self._findings.bound[id(column)] = (source, Field(name))
                    return True
        return False

    def _check_word(self, column: exp.Column) -> None:
        """What could be a column of a relation that isn't known could also be what the session says."""
        if not column.this.args.get("quoted") and is_session_word(column.name, self.rules.name):
            reason = f"{column.name} says something about the session; as a column it has to be quoted."
            raise Refused("forbidden_function", reason, where=column.name)

    def _alias_or_row(self, column: exp.Column, name: str, scope: Scope) -> bool:
        if self.rules.aliases_anywhere and name.lower() in scope.aliases:
            return True
        for level in scope.chain():
            source = level.source(name)
            if source is not None and source.table is None:
                # The row of a derived table holds proved columns only.
                column.set("this", self.rules.identifier(source.alias))
                return True
            if source is not None:
                raise Refused(
                    "whole_row", f"A whole row of {name} can't be used as a value; name its columns.", where=name
                )
        return False

    def _field_of_column(self, column: exp.Column, scope: Scope) -> bool:
        """`a.b` where `a` is a column: the field stays as written, `a` is proved."""
        parts = list(column.parts)
        head = exp.Column(this=parts[0].copy())
        for level in scope.chain():
            hits = [item for item in level.sources if item.find(self.rules.key(parts[0])) is not None]
            if len(hits) == 1:
                found = hits[0].find(self.rules.key(parts[0]))
                if found is not None:
                    self.bind(head, hits[0], found)
                    self._replace(column, head, parts[1:])
                    return True
        open_source = next((s for level in scope.chain() for s in level.sources if s.open), None)
        if open_source is None:
            return False
        self._findings.bound[id(column)] = (open_source, Field(parts[-1].name))
        return True

    def _replace(self, column: exp.Column, head: exp.Column, fields: list[exp.Expr]) -> None:
        value: exp.Expr = head
        for item in fields:
            value = exp.Dot(this=value, expression=item.copy())
        column.replace(value)

    def _ambiguous(self, column: exp.Column, hits: list[tuple[Source, Field]]) -> Refused:
        name = column.name
        choices = tuple(f"{source.alias}.{found.name}" for source, found in hits if not found.ignored)
        reason = f"The column {name} could be any of {', '.join(choices)}; say which."
        return Refused("ambiguous_column", reason, where=name, suggestions=choices)

    def _captured(self, column: exp.Column) -> Refused:
        """`IN (SELECT id FROM other)` or `(… FROM other WHERE id > 5)` where only the outer query has an `id`: legal
        SQL, and never what was meant."""
        written = self._written(column)
        reason = f"No table of the subquery has a column {column.name}; write {written} if the outer one is meant."
        return Refused("unknown_column", reason, where=column.name, suggestions=(written,))

    def _unknown(self, column: exp.Column, source: Source | None, scope: Scope | None = None) -> Refused:
        written = self._written(column)
        sources = [source] if source is not None else list(scope.sources if scope else ())
        names = [f"{s.alias}.{f.name}" if s.alias else f.name for s in sources for f in s.visible()]
        if source is not None and scope is not None:
            wanted = column.name.lower()
            elsewhere = [s for s in scope.sources if s is not source and not s.open and s.find(wanted)]
            names += [f"{s.alias}.{column.name}" for s in elsewhere]
        where = f"{source.alias} has no column" if source is not None else "No table of this query has a column"
        near = _near(column.name, names)
        return Refused("unknown_column", f"{where} {column.name}.", where=written, suggestions=near)

    def _written(self, column: exp.Column) -> str:
        return column.sql(self.rules.dialect, comments=False)[:120]


def _is_captured(column: exp.Column, scope: Scope) -> bool:
    """Whether a name that only an outer query has was meant for the subquery's own tables. What an UNNEST holds may
    have fields that nobody knows: its conditions are left alone."""
    if not scope.sources:
        return False
    return _is_output(column) or (all(source.table for source in scope.sources) and _is_alone(column))


def _is_output(column: exp.Column) -> bool:
    """Whether it is part of what its own SELECT gives, other than to EXISTS."""
    inner: exp.Expr = column
    while not isinstance(inner.parent, exp.Select):
        if inner.parent is None or isinstance(inner.parent, exp.Query):
            return False
        inner = inner.parent
    return inner.arg_key == "expressions" and not isinstance(inner.parent.parent, exp.Exists)


def _near(name: str, names: list[str]) -> tuple[str, ...]:
    tails = {item.rpartition(".")[2].lower(): item for item in reversed(names)}
    return tuple(tails[tail] for tail in get_close_matches(name.lower(), tails, n=3, cutoff=0.5))


def _is_alone(column: exp.Column) -> bool:
    """Whether it is compared with no other column: a condition that says nothing about the subquery's own rows."""
    predicate = column.find_ancestor(exp.Predicate, exp.Query)
    return isinstance(predicate, exp.Predicate) and list(predicate.find_all(exp.Column)) == [column]
