"""Which of its candidates a phrase means, given the table that the question is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from basejump_planner.joining import Joins, Unsure
from basejump_planner.linking import BARE, EXACT, OWNED, WEAK, ColumnMention, ColumnRef, Lexicon
from basejump_planner.model import Table, ValueHit
from basejump_planner.naming import is_numeric, name_columns, time_columns
from basejump_planner.reading import Measured, Moment, Target, ValueMatch
from basejump_planner.vocabulary import Direction
from basejump_planner.words import stems

# A surer match further away may win over a vaguer one near by; see `Chooser.column`.
_LEVEL_WORTH = 10
_IDENTIFIERS = {("id",), ("code",), ("number",), ("key",)}
_MENTIONED, _NEIGHBOUR, _TWO_AWAY, _FAR = 8, 25, 32, 36


class Chooser:
    """Settles phrases for one head table; `mentioned` are the other tables that the question names."""

    def __init__(
        self, lexicon: Lexicon, joins: Joins, head: Table, mentioned: Sequence[Table], owners: Mapping[int, Table]
    ) -> None:
        self.lexicon = lexicon
        self._owners = owners
        self.joins = joins
        self.head = head
        self._mentioned = {table.key for table in mentioned}
        self._near = [table for table in mentioned if table.key != head.key and joins.paths(head, table)]

    def column(self, mention: ColumnMention) -> ColumnRef:
        """The column a phrase means.

        Raises:
            Unsure: it may be several, or none can be reached from the head.
        """
        scored: dict[ColumnRef, int] = {}
        for candidate in mention.candidates:
            remoteness = self._remoteness(candidate.ref.table)
            owned = self._owner(mention).key == candidate.ref.table.key
            if remoteness is None or (remoteness > _MENTIONED and candidate.level < OWNED):
                continue
            scored[candidate.ref] = candidate.level * _LEVEL_WORTH - (0 if owned else remoteness or _MENTIONED)
        if not scored:
            raise Unsure(f"“{mention.text}” isn't a column of {self.head.name} or of a table connected with it")
        best = max(scored.values())
        refs = [ref for ref, score in scored.items() if score == best]
        if len(refs) > 1 and stems(mention.text.split()) in _IDENTIFIERS:
            refs = [ref for ref in refs if ref.column.primary_key] or refs
        if len(refs) > 1:
            raise Unsure(f"“{mention.text}” may be {_either(refs)}")
        return refs[0]

    def names(self, mention: ColumnMention) -> tuple[ColumnRef, ...] | None:
        """What "name" means for a head that has a first and a last name; None for every other phrase."""
        if stems(mention.text.split()) not in (("name",), ("full", "name")):
            return None
        owner = self._owner(mention)
        own = [c for c in mention.candidates if c.ref.table.key == owner.key and c.level >= BARE]
        return None if own else name_columns(owner, self.lexicon) or None

    def _owner(self, mention: ColumnMention) -> Table:
        return self._owners.get(mention.start, self.head)

    def has(self, mention: ColumnMention, table: Table, level: int = WEAK) -> bool:
        return any(c.ref.table.key == table.key and c.level >= level for c in mention.candidates)

    def target(self, target: Target) -> tuple[ColumnRef, Direction | None]:
        """The column of a target, and which way is "more" where an adjective or verb says so."""
        match target:
            case ColumnMention():
                return self.column(target), None
            case Measured():
                return self._measured(target)
            case Moment():
                return self._moment(), None
            case ColumnRef():
                return target, None

    def _measured(self, measured: Measured) -> tuple[ColumnRef, Direction | None]:
        if measured.options[0].nouns[0] == "name":
            named = name_columns(self.head, self.lexicon)
            if named:
                return named[-1], measured.options[0].direction
        for table in [measured.table] if measured.table else [self.head, *self._near]:
            for option in measured.options:
                found = [ref for noun in option.nouns if (ref := self.lexicon.named(noun, table)) is not None]
                if found:
                    return found[0], option.direction
        raise Unsure(f"{self.head.name} has no column that says which is “{measured.text}”")

    def _moment(self) -> ColumnRef:
        columns = time_columns(self.head, self.lexicon)
        if len(columns) != 1:
            what = "no column that holds a date" if not columns else "several columns that hold dates"
            raise Unsure(f"{self.head.name} has {what}")
        return columns[0]

    def values(self, match: ValueMatch) -> tuple[ColumnRef, tuple[str, ...]]:
        """The column in which found values are meant, and their stored spellings there."""
        hits = [hit for hit in match.hits if self._fits(hit, match)] or list(match.hits)
        by_column: dict[ColumnRef, list[str]] = {}
        for hit in hits:
            ref = self._ref(hit)
            if ref is not None:
                by_column.setdefault(ref, []).append(hit.value)
        ranked = {ref: rank for ref in by_column if (rank := self._remoteness(ref.table)) is not None}
        if not ranked:
            raise Unsure(f"“{match.hits[0].phrase}” was found nowhere that is connected with {self.head.name}")
        best = min(ranked.values())
        refs = [ref for ref, rank in ranked.items() if rank == best]
        if len(refs) > 1:
            refs = [ref for ref in refs if ref in name_columns(ref.table, self.lexicon)] or refs
        if len(refs) > 1:
            raise Unsure(f"“{match.hits[0].phrase}” was found in {_either(refs, 'and')}")
        self._certain_of_value(match, refs[0].table)
        return refs[0], tuple(dict.fromkeys(by_column[refs[0]]))

    def _certain_of_value(self, match: ValueMatch, table: Table) -> None:
        near = match.near
        if near is None or near.key in (self.head.key, table.key) or table.key == self.head.key:
            return
        passed = {link.right.key for path in self.joins.paths(self.head, table) for link in path}
        ours, theirs = self.joins.distance(self.head, table), self.joins.distance(near, table)
        if near.key not in passed and ours is not None and theirs is not None and theirs <= ours:
            raise Unsure(
                f"it isn't clear whether “{match.hits[0].phrase}” is said of {self.head.name} or of {near.name}"
            )

    def certain_of(self, target: Target, ref: ColumnRef, near: Table | None) -> None:
        """Raises Unsure where a condition may be said of the table named last before it as well as of the head."""
        if near is None or near.key == self.head.key or ref.table.key != self.head.key:
            return
        if isinstance(target, Measured):
            rivals = any(self.lexicon.named(noun, near) for option in target.options for noun in option.nouns)
        else:
            rivals = isinstance(target, ColumnMention) and self.has(target, near, BARE)
        if rivals:
            raise Unsure(f"it isn't clear whether {ref.column.name} is said of {self.head.name} or of {near.name}")

    def _fits(self, hit: ValueHit, match: ValueMatch) -> bool:
        home = (hit.schema, hit.table, hit.column)
        if match.column is not None:
            return any(candidate.ref.id == home for candidate in match.column.candidates)
        return match.table is not None and match.table.table.key == (hit.schema, hit.table)

    def _ref(self, hit: ValueHit) -> ColumnRef | None:
        for table in self.lexicon.tables:
            if table.key == (hit.schema, hit.table):
                return next((ColumnRef(table, column) for column in table.columns if column.name == hit.column), None)
        return None

    def _remoteness(self, table: Table) -> int | None:
        distance = self.joins.distance(self.head, table)
        if distance is None:
            return None
        if distance == 0:
            return 0
        if table.key in self._mentioned:
            return _MENTIONED
        return {1: _NEIGHBOUR, 2: _TWO_AWAY}.get(distance, _FAR)


def _either(refs: Sequence[ColumnRef], word: str = "or") -> str:
    return f" {word} ".join(f"{ref.table.name}.{ref.column.name}" for ref in refs[:4])


__all__ = ["EXACT", "Chooser", "is_numeric"]
