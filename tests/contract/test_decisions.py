"""Decisions are found by their number."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs/adr"


def test_decisions_are_numbered_one_by_one_and_listed_under_their_titles() -> None:
    titles = [path.read_text().partition("\n")[0] for path in sorted(FOLDER.glob("0*.md"))]
    named = {path.name: int(path.name[:4]) for path in FOLDER.glob("0*.md")}
    listed = re.findall(r"^(\d+)\. \[(.+)\]\((.+)\)$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted(named.values()) == list(range(1, len(named) + 1)), "give a later one the next free number"
    assert [f"# {number}. {title}" for number, title, _ in listed] == titles
    assert [(name, int(number)) for number, _, name in listed] == sorted(named.items())
