"""Which columns a SELECT makes equal, through ON, USING and WHERE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp

from basejump_sqlguard.sources import Findings, Scope, Source
from basejump_sqlguard.trees import nodes

Member = tuple[int, str]
"""A column of a source: the source's place in the scope, the field's name."""


class Equalities:
    """The columns of one scope in classes of equals, each named by one of them; `fixed` are the classes of those that
    equal a constant or an outer value. A statement may join hundreds of relations: nothing here looks at all pairs."""

    def __init__(self, scope: Scope, findings: Findings) -> None:
        self._scope = scope
        self._findings = findings
        self._places = {id(source): place for place, source in enumerate(scope.sources)}
        self._parent: dict[Member, Member] = {}
        self._fixed: set[Member] = set()
        self.mixed: set[frozenset[int]] = set()
        for condition in conditions_of(scope):
            self._read(condition)
        self._read_using()
        self._classes: dict[int, dict[str, Member]] = {}
        self._sharing: dict[Member, list[int]] = {}
        for place, name in self._parent:
            root = self._root((place, name))
            self._classes.setdefault(place, {})[name] = root
            self._sharing.setdefault(root, []).append(place)
        self.fixed = frozenset(self._root(member) for member in self._fixed)

    def pairs(self, left: int, right: int) -> list[tuple[str, str]]:
        """The fields of two sources that are equal, as (left, right)."""
        names: dict[Member, list[str]] = {}
        for name, root in self.classes_of(left).items():
            names.setdefault(root, []).append(name)
        return [(mine, name) for name, root in self.classes_of(right).items() for mine in names.get(root, ())]

    def classes_of(self, place: int) -> Mapping[str, Member]:
        """The compared fields of a source, each with its class."""
        return self._classes.get(place, {})

    def sharing(self, classes: Iterable[Member]) -> list[int]:
        """The sources that have a field in one of these classes, in order."""
        return sorted({place for root in classes for place in self._sharing.get(root, ())})

    def _read(self, condition: exp.Expr) -> None:
        if isinstance(condition, (exp.EQ, exp.NullSafeEQ)):
            left, right = self._side(condition.this), self._side(condition.expression)
            if left is not None and right is not None:
                self._join(left, right)
                return
            for side, other in ((left, condition.expression), (right, condition.this)):
                if side is not None and not self._reads_here(other):
                    self._add(side)
                    self._fixed.add(side)
        places = {self._places[id(s)] for s in self._sources_in(condition) if id(s) in self._places}
        if len(places) > 1:
            self.mixed.add(frozenset(places))

    def _read_using(self) -> None:
        for step in self._scope.joins:
            place = self._places.get(id(step.source))
            for name in step.using if place is not None else ():
                assert place is not None
                for earlier in range(place):
                    if self._scope.sources[earlier].find(name) is not None:
                        self._join((earlier, name), (place, name))

    def _side(self, node: exp.Expr) -> Member | None:
        while isinstance(node, exp.Paren):
            node = node.this
        entry = self._findings.bound.get(id(node))
        if entry is None or entry[0] is None or id(entry[0]) not in self._places:
            return None
        return self._places[id(entry[0])], entry[1].name

    def _sources_in(self, node: exp.Expr) -> Iterator[Source]:
        for column in nodes(node):
            entry = self._findings.bound.get(id(column)) if isinstance(column, exp.Column) else None
            if entry is not None and entry[0] is not None:
                yield entry[0]

    def _reads_here(self, node: exp.Expr) -> bool:
        return any(id(source) in self._places for source in self._sources_in(node))

    def _add(self, member: Member) -> None:
        self._parent.setdefault(member, member)

    def _root(self, member: Member) -> Member:
        while (parent := self._parent[member]) != member:
            self._parent[member] = self._parent[parent]  # so that the next way is half as long
            member = parent
        return member

    def _join(self, left: Member, right: Member) -> None:
        self._add(left)
        self._add(right)
        self._parent[self._root(left)] = self._root(right)


def conditions_of(scope: Scope) -> list[exp.Expr]:
    """The conditions a row has to meet all of: of ON and WHERE, apart at every AND."""
    found = [step.condition for step in scope.joins if step.condition is not None]
    where = scope.node.args.get("where")
    return [part for item in (*found, *([where.this] if where else ())) for part in conjuncts(item)]


def conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    """`a AND (b AND c)` as [a, b, c]."""
    parts: list[exp.Expr] = []
    stack = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Paren):
            stack.append(node.this)
        elif isinstance(node, exp.And):
            stack += [node.expression, node.this]
        else:
            parts.append(node)
    return parts
