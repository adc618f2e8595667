"""The statements in `sqlguard_corpus/`: one file for each dialect, one statement a line under a heading.

`## allow: why` or `## deny code/code: why` with the codes that the refusal may have; ⏎ in a statement is a new line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("sqlguard_corpus")


@dataclass(frozen=True)
class Case:
    """A statement and its verdict: `codes` are those of a refusal, none for what is allowed."""

    dialect: str
    sql: str
    why: str
    codes: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        return not self.codes


def cases() -> Iterator[Case]:
    """Every statement of every dialect."""
    for file in sorted(FOLDER.glob("*.txt")):
        codes: tuple[str, ...] = ()
        why = ""
        for line in file.read_text().splitlines():
            if line.startswith("## "):
                head, _, why = line[3:].partition(": ")
                codes = tuple(head.removeprefix("deny ").split("/")) if head != "allow" else ()
            elif line:
                yield Case(file.stem, line.replace("⏎", "\n"), why, codes)


CASES = tuple(cases())
ALLOWED = tuple(case for case in CASES if case.allowed)
DENIED = tuple(case for case in CASES if not case.allowed)
