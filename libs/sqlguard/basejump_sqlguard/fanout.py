"""Fan-out: an aggregate over rows that a join has multiplied counts the same value many times."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.equalities import Equalities, Member
from basejump_sqlguard.proof import JoinProof
from basejump_sqlguard.sources import Findings, Scope
from basejump_sqlguard.trees import children, nodes

# What repeated rows don't change.
_INSENSITIVE = (
    exp.Min, exp.Max, exp.AnyValue, exp.LogicalAnd, exp.LogicalOr, exp.ApproxDistinct, exp.BitwiseAndAgg,
    exp.BitwiseOrAgg, exp.ArgMax, exp.ArgMin, exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.Grouping,
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.Ntile,
)  # fmt: skip


def fan_outs(scope: Scope, equal: Equalities, findings: Findings, rules: Rules) -> Iterator[JoinProof]:
    """One unproved entry for each aggregate of this SELECT that multiplied rows distort."""
    aggregates = [item for item in _aggregates(scope.node) if not _insensitive(item)]
    if not aggregates:
        return
    multiplied = _Multiplied(scope, equal)
    for item in aggregates:
        places = _read_by(item, scope, findings)
        if not places and all(multiplied[place] for place in range(len(scope.sources))):
            places = {0}
        for place in sorted(places):
            if multiplied[place]:
                yield _reported(scope, place, multiplied[place], item.sql(rules.dialect))
                break


def _reported(scope: Scope, place: int, by: list[int], aggregate: str) -> JoinProof:
    name = scope.sources[place].alias
    others = " and ".join(scope.sources[other].alias for other in by)
    why = f"{aggregate} counts a row of {name} once for every matching row of {others}."
    return JoinProof(left=name, right=others, on=aggregate, proved=False, why=why, fan_out=True)


def _aggregates(node: exp.Expr) -> Iterator[exp.Expr]:
    """The aggregates computed by this SELECT itself: no windows, no nested queries."""
    stack: list[exp.Expr] = list(node.args.get("expressions") or ())
    stack += [node.args[name] for name in ("having", "order", "qualify") if node.args.get(name) is not None]
    while stack:
        item = stack.pop()
        if isinstance(item, exp.AggFunc):
            yield item
        elif isinstance(item, exp.Window):
            stack += [child for child in children(item) if child is not item.this]
            stack += children(item.this)
        elif not isinstance(item, exp.Query):
            stack += children(item)


def _insensitive(item: exp.Expr) -> bool:
    return isinstance(item, _INSENSITIVE) or isinstance(item.this, exp.Distinct)


def _read_by(item: exp.Expr, scope: Scope, findings: Findings) -> set[int]:
    places = {id(source): place for place, source in enumerate(scope.sources)}
    entries = (findings.bound.get(id(column)) for column in nodes(item) if isinstance(column, exp.Column))
    return {places[id(e[0])] for e in entries if e is not None and id(e[0]) in places}


class _Multiplied(dict[int, list[int]]):
    """By source, once asked: the sources that may hold more than one row for one row of it.

    What the known sources determine down to a key holds one row at most, and is then known too.
    """

    def __init__(self, scope: Scope, equal: Equalities) -> None:
        super().__init__()
        self._scope = scope
        self._equal = equal
        filters = {id(step.source) for step in scope.joins if "SEMI" in step.kind or "ANTI" in step.kind}
        # SEMI and ANTI joins keep or drop rows, and never repeat them.
        self._repeating = [place for place, source in enumerate(scope.sources) if id(source) not in filters]

    def __missing__(self, place: int) -> list[int]:
        waiting = dict.fromkeys(other for other in self._repeating if other != place)
        known = {*self._equal.fixed, *self._equal.classes_of(place).values()}
        candidates = list(waiting)
        while candidates:
            single = [other for other in candidates if self._is_single(other, known)]
            fresh = {root for other in single for root in self._equal.classes_of(other).values()} - known
            for other in single:
                del waiting[other]
            known |= fresh
            candidates = [other for other in self._equal.sharing(fresh) if other in waiting]
        self[place] = multipliers = list(waiting)
        return multipliers

    def _is_single(self, place: int, known: set[Member]) -> bool:
        determined = {name for name, root in self._equal.classes_of(place).items() if root in known}
        return any(key <= determined for key in self._scope.sources[place].unique)
