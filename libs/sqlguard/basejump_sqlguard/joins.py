"""Joins follow keys, or are reported; so is joining that multiplies what an aggregate counts."""

from __future__ import annotations

from collections.abc import Iterator

from basejump_sqlguard.catalog import CatalogKey, CatalogTable
from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.equalities import Equalities
from basejump_sqlguard.fanout import fan_outs
from basejump_sqlguard.proof import JoinProof
from basejump_sqlguard.sources import Findings, JoinStep, Scope, Source

Origin = tuple[CatalogTable, str]


def prove_joins(findings: Findings, rules: Rules) -> tuple[JoinProof, ...]:
    """Every join of every SELECT, then every aggregate over multiplied rows."""
    proofs: list[JoinProof] = []
    for scope in findings.scopes:
        if len(scope.sources) > 1:
            equal = Equalities(scope, findings)
            proofs += _joins_of(scope, equal)
            proofs += fan_outs(scope, equal, findings, rules)
    return tuple(proofs)


def _joins_of(scope: Scope, equal: Equalities) -> Iterator[JoinProof]:
    steps = {id(step.source): step for step in scope.joins}
    linked = [{0}]
    for place in range(1, len(scope.sources)):
        step = steps.get(id(scope.sources[place]))
        others = [other for other in equal.sharing(equal.classes_of(place).values()) if other < place]
        yield from _best_edge(scope, equal, others, place)
        touching = {*others, *(p for group in equal.mixed if place in group for p in group if p < place)}
        linked = _linked(linked, place, touching)
        if step is not None and not others and (step.lateral or touching):
            yield _unkeyed(scope, place, min(touching, default=place - 1), step)
            linked = _linked([group - {place} for group in linked], place, touching or {place - 1})
    yield from _cross_products(scope, linked)


def _linked(groups: list[set[int]], place: int, touching: set[int]) -> list[set[int]]:
    """The groups of connected sources after `place` was connected to `touching`."""
    joined = {place}.union(*(group for group in groups if group & touching))
    return [group for group in groups if group and not group & touching] + [joined]


def _best_edge(scope: Scope, equal: Equalities, others: list[int], place: int) -> Iterator[JoinProof]:
    """How a relation hangs together with one before it: by a key if it does with any, else with the first."""
    first: JoinProof | None = None
    for other in others:
        edge = _edge(scope, equal, other, place)
        if edge.proved:
            yield edge
            return
        first = first or edge
    if first is not None:
        yield first


def _edge(scope: Scope, equal: Equalities, left: int, right: int) -> JoinProof:
    pairs = equal.pairs(left, right)
    a, b = scope.sources[left], scope.sources[right]
    on = " AND ".join(f"{a.alias}.{x} = {b.alias}.{y}" for x, y in pairs)
    origins = [(_origin(a, x), _origin(b, y)) for x, y in pairs]
    why = _key_between([(x, y) for x, y in origins if x is not None and y is not None])
    return JoinProof(
        left=a.alias,
        right=b.alias,
        on=on,
        proved=why is not None,
        why=why or f"No declared key says that {on} belong together.",
    )


def _origin(source: Source, name: str) -> Origin | None:
    found = source.find(name)
    if found is None or found.origin is None:
        return None
    return found.origin[0], found.origin[1].name


def _key_between(pairs: list[tuple[Origin, Origin]]) -> str | None:
    """The sentence naming the key that these equal columns follow."""
    for (left, _), (right, _) in pairs:
        for child, parent, order in ((left, right, 1), (right, left, -1)):
            equal = {(x[1], y[1])[::order] for x, y in pairs if (x[0], y[0])[::order] == (child, parent)}
            for key in child.foreign_keys:
                if _references(key, parent) and set(zip(key.columns, key.references_columns, strict=False)) <= equal:
                    return _sentence(child, key)
    return _same_column(pairs) or _same_parent(pairs)


def _references(key: CatalogKey, table: CatalogTable) -> bool:
    return (key.references_schema, key.references_table) == (table.schema, table.name)


def _sentence(child: CatalogTable, key: CatalogKey) -> str:
    own, other = ", ".join(key.columns), ", ".join(key.references_columns)
    says = ", as an admin wrote" if key.written else ""
    return f"{child.name} ({own}) references {key.references_table} ({other}){says}."


def _same_column(pairs: list[tuple[Origin, Origin]]) -> str | None:
    for (left, a), (right, b) in pairs:
        if left == right and a == b:
            return f"Both sides are {left.name}.{a}."
    return None


def _same_parent(pairs: list[tuple[Origin, Origin]]) -> str | None:
    """Two children of one parent, joined by what references it."""
    for (left, a), (right, b) in pairs:
        for mine in left.foreign_keys:
            for theirs in right.foreign_keys:
                same = (mine.references_schema, mine.references_table, mine.references_columns) == (
                    theirs.references_schema,
                    theirs.references_table,
                    theirs.references_columns,
                )
                if same and mine.columns == (a,) and theirs.columns == (b,):
                    return f"{left.name}.{a} and {right.name}.{b} both reference {mine.references_table}."
    return None


def _unkeyed(scope: Scope, place: int, other: int, step: JoinStep) -> JoinProof:
    left, right = scope.sources[other].alias, scope.sources[place].alias
    if step.lateral:
        why = "Read from each row's own values."
    else:
        why = f"{left} and {right} aren't joined by an equality of key columns."
    on = step.condition.sql() if step.condition is not None else ""
    return JoinProof(left=left, right=right, on=on, proved=step.lateral, why=why)


def _cross_products(scope: Scope, groups: list[set[int]]) -> Iterator[JoinProof]:
    """Groups of relations that nothing connects: every row of one meets every row of the other."""
    many = [g for g in groups if not all(_is_single_row(scope.sources[place]) for place in g)]
    ordered = sorted(many, key=min)
    for group in ordered[1:]:
        left, right = scope.sources[min(ordered[0])].alias, scope.sources[min(group)].alias
        why = f"Nothing connects {left} and {right}: every row of one meets every row of the other."
        yield JoinProof(left=left, right=right, on="", proved=False, why=why)


def _is_single_row(source: Source) -> bool:
    return frozenset() in source.unique
