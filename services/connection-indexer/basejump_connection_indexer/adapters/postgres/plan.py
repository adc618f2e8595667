"""What PostgreSQL's planner expects of a statement, from EXPLAIN (FORMAT JSON, VERBOSE).

A node says how many rows it gives each time it is executed. What a person waits for is the rows that all nodes read
and give, over all executions: the inner side of a nested loop once per outer row, what stands below a LIMIT only as
far as the LIMIT reads, and a scan with a condition as many rows as its table has.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from basejump_common.contracts.connection import Estimate

Plan: TypeAlias = Mapping[str, Any]
Name: TypeAlias = tuple[str, str]

# Give no row before they have read all of theirs; an aggregate over sorted input gives each group as it ends.
_BLOCKING = frozenset({"Sort", "Hash", "WindowAgg", "Bitmap Heap Scan", "SetOp"})
_LARGEST = 10**18


def filtered_scans(plan: Plan) -> Iterator[Name]:
    """Schema and name of the tables that are read whole to give some of their rows."""
    if plan["Node Type"] == "Seq Scan" and "Filter" in plan:
        yield plan["Schema"], plan["Relation Name"]
    for child in plan.get("Plans", ()):
        yield from filtered_scans(child)


def estimated(plan: Plan, table_rows: Mapping[Name, float]) -> Estimate:
    """`table_rows`: how many rows the tables of `filtered_scans` have."""
    rows = _rows(plan, table_rows, _Executed(times=1.0, part=1.0, workers=1))
    return Estimate(rows=int(min(rows, _LARGEST)), cost=plan["Total Cost"])


class _Executed:
    """How a node is executed: how many `times`, by how many `workers` together, and what `part` of it is read."""

    def __init__(self, *, times: float, part: float, workers: int) -> None:
        self.times = times
        self.part = part
        self.workers = workers

    def with_(self, **changes: Any) -> "_Executed":
        return _Executed(**({"times": self.times, "part": self.part, "workers": self.workers} | changes))


def _rows(plan: Plan, table_rows: Mapping[Name, float], executed: _Executed) -> float:
    children = plan.get("Plans", ())
    own = _read(plan, table_rows, executed) * executed.times * executed.part
    return own + sum(_rows(child, table_rows, _below(plan, child, executed)) for child in children)


def _read(plan: Plan, table_rows: Mapping[Name, float], executed: _Executed) -> float:
    given = float(plan["Plan Rows"]) * executed.workers
    whole = table_rows.get((plan.get("Schema", ""), plan.get("Relation Name", "")), 0.0) if "Filter" in plan else 0.0
    return max(given, whole if plan.get("Parallel Aware") else whole * executed.workers)


def _below(plan: Plan, child: Plan, executed: _Executed) -> _Executed:
    match plan["Node Type"], child["Parent Relationship"]:
        case _, "InitPlan":
            return executed.with_(times=1.0, part=1.0, workers=1)
        case _, "SubPlan" if not _is_hashed(plan, child):
            return executed.with_(times=executed.times * executed.part * _given(plan), part=1.0)
        case "Nested Loop", "Inner":
            outer = next(one for one in plan["Plans"] if one["Parent Relationship"] == "Outer")
            return executed.with_(times=executed.times * executed.part * _given(outer), part=1.0)
        case "Limit", "Outer":
            return executed.with_(part=executed.part * min(1.0, _given(plan) / _given(child)))
        case "Gather" | "Gather Merge", _:
            return executed.with_(workers=plan["Workers Planned"] + 1)
        case "Materialize" | "Memoize", _:
            return executed.with_(times=1.0, part=1.0)
        case node, _ if node in _BLOCKING or (node == "Aggregate" and plan["Strategy"] != "Sorted"):
            return executed.with_(part=1.0)
        case _:
            return executed


def _given(plan: Plan) -> float:
    return max(float(plan["Plan Rows"]), 1.0)


def _is_hashed(plan: Plan, child: Plan) -> bool:
    """Whether the subquery is executed once and its rows are looked up."""
    name = f"hashed {child.get('Subplan Name')}"
    return any(name in str(value) for key, value in plan.items() if key != "Plans")
