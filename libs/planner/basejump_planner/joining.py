"""How tables of the slice are joined: only by declared keys, and only where there is one way to do it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from basejump_planner.model import Table

_LONGEST_PATH, _LONGEST_STRAIGHT = 3, 6
Key = tuple[str, str]


class Unsure(Exception):
    """The question can't be settled; the text completes "…, because"."""


class Link(NamedTuple):
    """One step between two tables: `left.columns[i] = right.columns[i]`; `to_one` when right is the referenced side."""

    left: Table
    right: Table
    left_columns: tuple[str, ...]
    right_columns: tuple[str, ...]
    to_one: bool


class Joins:
    """The graph of declared keys between the tables of one slice."""

    def __init__(self, tables: Sequence[Table]) -> None:
        by_key = {table.key: table for table in tables}
        self._links: dict[Key, list[Link]] = defaultdict(list)
        for table in tables:
            for foreign in dict.fromkeys(table.foreign_keys):
                target = by_key.get((foreign.references_schema, foreign.references_table))
                if target is None or target.key == table.key or not _columns_exist(table, foreign.columns):
                    continue
                if not _columns_exist(target, foreign.references_columns):
                    continue
                self._add(Link(table, target, foreign.columns, foreign.references_columns, True))

    def _add(self, link: Link) -> None:
        unique = {c.name for c in link.left.columns if c.primary_key} == set(link.left_columns)
        self._links[link.left.key].append(link)
        self._links[link.right.key].append(Link(link.right, link.left, link.right_columns, link.left_columns, unique))

    def paths(self, start: Table, goal: Table) -> list[tuple[Link, ...]]:
        """The shortest paths between two tables, empty when there is none; at most `_LONGEST_PATH` links long, or
        `_LONGEST_STRAIGHT` where each row has one parent, of a parent, of a parent."""
        if start.key == goal.key:
            return [()]
        frontier: list[tuple[Link, ...]] = [()]
        seen = {start.key}
        for length in range(_LONGEST_STRAIGHT):
            frontier = [
                (*path, link)
                for path in frontier
                for link in self._links[path[-1].right.key if path else start.key]
                if link.right.key not in seen and not _is_sideways(path, link)
                if length < _LONGEST_PATH or _is_straight((*path, link))
            ]
            found = [path for path in frontier if path[-1].right.key == goal.key]
            if found:
                return found
            seen.update(path[-1].right.key for path in frontier)
        return []

    def path(self, start: Table, goal: Table) -> tuple[Link, ...]:
        """The one shortest path.

        Raises:
            Unsure: no declared keys lead from one table to the other, or they do so in several ways.
        """
        found = self.paths(start, goal)
        if not found:
            raise Unsure(f"no declared keys lead from {start.name} to {goal.name}")
        if len(found) > 1:
            raise Unsure(f"{start.name} and {goal.name} are connected in more than one way")
        return found[0]

    def distance(self, start: Table, goal: Table) -> int | None:
        found = self.paths(start, goal)
        return len(found[0]) if found else None


def _is_sideways(path: Sequence[Link], link: Link) -> bool:
    """Up to a parent and down to its other children: rows that share a parent have nothing else in common."""
    return any(step.to_one for step in path) and not link.to_one


def _is_straight(path: Sequence[Link]) -> bool:
    return len({link.to_one for link in path}) == 1


def _columns_exist(table: Table, names: Sequence[str]) -> bool:
    return set(names) <= {column.name for column in table.columns}


def is_to_one(path: Sequence[Link]) -> bool:
    """Whether a row at the start has at most one row at the end of the path."""
    return all(link.to_one for link in path)
