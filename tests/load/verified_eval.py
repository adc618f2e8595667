"""How often is a question recognised that was answered before, and how often is another one taken for it?

    PYTHONPATH=tests/load python -m verified_eval [folder with questions/train.jsonl.gz and train_databases.sql.gz]

Without an argument the folder is $BASEJUMP_EVAL_DATA. True are a question's paraphrase and other wordings of the same
query. Near misses are questions on the same schema whose query is another one, the lexically nearest first, and the
questions themselves with a number, a negation or a direction changed. An answer with the filter changed counts as right
when its statement is the other question's own.

Statements are the built-in planner's: verified is what gives the rows of the question's own query, and wrong what gives
other rows than the other question's. Vectors are the scripted model server's, near where questions share words: how
much a real model finds is another matter, what it may serve isn't.
"""

import asyncio
import gzip
import json
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any, TypeAlias

from basejump_chat_agent.domain.verified.filters import with_value
from basejump_chat_agent.domain.verified.matching import Apart, Vocabulary, mean_the_same, one_value_apart
from basejump_chat_agent.domain.verified.wording import plain, signature, words_of
from basejump_sqlguard import Refused, compare
from eval_planner import database, load_slices
from verified_planned import Planned

Entry: TypeAlias = dict[str, Any]
Pair: TypeAlias = tuple[Entry, Entry]

NEAREST = 1_000
_TABLE = re.compile(r'^CREATE TABLE (\w+)\."?(\w+)"? \(\n(.*?)\n\);', re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r'^\s+"?([\w ]+?)"? (?!KEY|UNIQUE)\S')
_COPY = re.compile(r"^COPY (\w+)\.\S+ \((.*?)\) FROM stdin;\n(.*?)^\\\.$", re.MULTILINE | re.DOTALL)
_TURNED = (
    ("highest", "lowest"), ("most", "least"), ("more than", "less than"), ("before", "after"), ("at least", "at most"),
    ("oldest", "youngest"), ("ascending", "descending"), ("average", "total"), ("maximum", "minimum"), ("from", "to"),
    ("how many", "which"), ("and", "or"), ("is", "is not"), ("have", "do not have"), ("each", "all"),
)  # fmt: skip


@dataclass
class World:
    """The questions of each schema, its words, and in which columns each of its values stands."""

    questions: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    vocabularies: dict[str, Vocabulary] = field(default_factory=dict)
    columns: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))

    def same(self, one: Entry, question: str) -> bool:
        return mean_the_same(one["question"], question, self.vocabularies[one["schema"]])

    def similar(self, one: Entry, question: str) -> str | None:
        """The verified statement with the other value, where that is a value of the filtered column alone."""
        apart = one_value_apart(one["question"], question, self.vocabularies[one["schema"]])
        changed = None if apart is None else with_value(one["gold"], apart, "postgres")
        if apart is None or changed is None:
            return None
        return changed.sql if apart.number or self._only_there(one, apart, changed.column) else None

    def _only_there(self, one: Entry, apart: Apart, column: str | None) -> bool:
        return self.columns[one["schema"]].get(plain(apart.asked)) == {column}


def read_world(folder: Path) -> World:
    world = World()
    with gzip.open(folder / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            world.questions[entry["schema"]].append(entry)
    with gzip.open(folder / "train_databases.sql.gz", "rt", encoding="utf-8") as dump:
        text = dump.read()
    names: dict[str, set[str]] = defaultdict(set)
    for schema, table, body in _TABLE.findall(text):
        columns = (_COLUMN.match(line) for line in body.splitlines())
        names[schema] |= {table, *(column.group(1) for column in columns if column)}
    for schema, columns, rows in _COPY.findall(text):
        named = [column.strip(' "') for column in columns.split(",")]
        for row in rows.splitlines():
            for column, value in zip(named, row.split("\t"), strict=True):
                world.columns[schema][plain(value)].add(column)
    world.vocabularies = {schema: Vocabulary(names[schema]) for schema in world.questions}
    return world


def differ(one: str, other: str) -> bool:
    """Whether two gold queries are different questions: not but for names, or the order of what they give."""
    try:
        compared = compare(one, other, "postgres")
    except Refused:
        return one.lower() != other.lower()
    return compared.verdict not in ("identical", "equivalent") and bool(compared.differences)


def near_misses(world: World) -> list[Pair]:
    """The nearest questions of another meaning; the same words with two golds are the labels' doubt, not a miss."""
    near: list[tuple[float, Pair]] = []
    for entries in world.questions.values():
        said = [(entry, _bag(entry["question"])) for entry in entries]
        for (one, mine), (other, theirs) in permutations(said, 2):
            likeness = len(mine & theirs) / len(mine | theirs)
            if likeness > 0.6 and plain(one["question"]) != plain(other["question"]):
                near.append((likeness, (one, other)))
    near.sort(key=lambda item: -item[0])
    different = (pair for _, pair in near if differ(pair[0]["gold"], pair[1]["gold"]))
    return [pair for pair, _ in zip(different, range(NEAREST), strict=False)]


def _bag(question: str) -> frozenset[str]:
    return frozenset(word.text for word in words_of(question))


def mutations(question: str) -> Iterator[str]:
    """The question with a number, a direction or a negation changed."""
    for number in re.finditer(r"\b\d+\b", question):
        yield f"{question[: number.start()]}{int(number.group()) + 1}{question[number.end() :]}"
    for pair in _TURNED:
        for word, other in (pair, pair[::-1]):
            changed = re.sub(rf"\b{word}\b", other, question, count=1, flags=re.IGNORECASE)
            if changed != question:
                yield changed


def _pairs(world: World) -> Iterator[Pair]:
    """Of the same schema and with the same signs: no other question is ever compared."""
    alike = defaultdict(list)
    for schema, entries in world.questions.items():
        for entry in entries:
            alike[schema, signature(words_of(entry["question"]))].append(entry)
    return (pair for entries in alike.values() for pair in permutations(entries, 2))


def _share(name: str, hits: Sequence[bool]) -> None:
    print(f"{name:34} {sum(hits):6} of {len(hits):6}  {100 * sum(hits) / max(1, len(hits)):6.2f}%")


def _similar(world: World, pairs: Iterable[Pair]) -> list[bool]:
    """Of what is served with its filter changed: is it what the other question's own query asks?"""
    served = ((other, world.similar(one, other["question"])) for one, other in pairs)
    return [not differ(sql, other["gold"]) for other, sql in served if sql is not None]


def by_words(world: World, entries: Sequence[Entry], misses: Sequence[Pair]) -> list[bool]:
    """What is told by words alone; which paraphrases were."""
    started = time.process_time()
    hits = [world.same(entry, entry["paraphrase"]) for entry in entries]
    seconds = time.process_time() - started
    reworded = [hit for entry, hit in zip(entries, hits, strict=True) if entry["paraphrase"] != entry["question"]]
    pairs = list(_pairs(world))
    wrong = [world.same(a, b["question"]) for a, b in misses]
    print("by words")
    _share("paraphrases recognised", hits)
    _share("  of those in other words", reworded)
    _share(
        "other wordings of the same query", [world.same(a, b["question"]) for a, b in pairs if a["gold"] == b["gold"]]
    )
    _share(f"wrong among the {NEAREST:,} nearest", wrong)
    _share("wrong among mutations", [world.same(e, said) for e in entries for said in mutations(e["question"])])
    taken = [differ(a["gold"], b["gold"]) for a, b in pairs if world.same(a, b["question"])]
    _share("wrong of all recognised in a schema", taken)
    _share("right with the filter changed", _similar(world, pairs))
    _both(hits, wrong)
    print(f"{1_000_000 * seconds / len(hits):.0f} µs of processor time a comparison")
    return hits


async def by_statements(
    planned: Planned, hits: Sequence[bool], entries: Sequence[Entry], misses: Sequence[Pair]
) -> None:
    """What is told by words, or else by the statement that answers it; near are what shares words, or also vectors."""
    for vectors in (False, True):
        print("and by statements" + (", near by vectors as well" if vectors else ", near by words"))
        told = [
            hit or await planned.serves(entry, entry["paraphrase"], vectors=vectors)
            for hit, entry in zip(hits, entries, strict=True)
        ]
        wrong = [
            await planned.serves(one, other["question"], vectors=vectors) and not await planned.agrees(one, other)
            for one, other in misses
        ]
        turned = [(entry, said) for entry in entries for said in mutations(entry["question"])]
        _share("paraphrases recognised", told)
        _share(f"wrong among the {NEAREST:,} nearest", wrong)
        _share("wrong among mutations", [await planned.serves(e, said, vectors=vectors) for e, said in turned])
        _both(told, wrong)


def _both(hits: Sequence[bool], wrong: Sequence[bool]) -> None:
    precision = sum(hits) / max(1, sum(hits) + sum(wrong))
    print(f"precision {100 * precision:.2f}%  recall {100 * sum(hits) / len(hits):.2f}%")


async def main(folder: Path) -> int:
    if not (folder / "train.jsonl.gz").exists():
        print("The evaluation data isn't here: give its folder, or set BASEJUMP_EVAL_DATA. Nothing was measured.")
        return 2
    world = read_world(folder)
    entries = [entry for its in world.questions.values() for entry in its]
    misses = near_misses(world)
    hits = by_words(world, entries, misses)
    said = {text for e in entries for text in (e["question"], e["paraphrase"], *mutations(e["question"]))}
    async with database(None, folder / "train_databases.sql.gz") as connection:
        planned = Planned(connection, await load_slices(connection))
        await planned.embed(sorted(said))
        await by_statements(planned, hits, entries, misses)
    return 0


if __name__ == "__main__":
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BASEJUMP_EVAL_DATA", "")
    sys.exit(asyncio.run(main(Path(given) / "questions")))
