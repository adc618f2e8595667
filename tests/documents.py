"""The code in README.md and docs/: which blocks there are, and which test runs each.

Transcripts (`console`) and requests (`json POST /a/call/`) are run all by one test. A block of another language is run
by the test that `RUN_BY` names, which asks for it with `the(document, language)`. One without a language is a drawing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^(?P<fence>```+)(?P<words>[^\n`]*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)

RUN_ALL = {
    "console": "tests/e2e/test_documents.py::test_transcripts_are_what_happens",
    "json": "tests/contract/test_documents.py::test_json_is_a_request_of_its_call",
}
RUN_BY = {
    ("docs/api.md", "python"): "tests/e2e/test_documents.py::test_the_first_calls_work_as_written",
    ("docs/connections.md", "csv"): "tests/component/test_connection_import.py::test_the_documented_text_is_read",
    ("docs/events.md", "python"): "tests/e2e/test_documents.py::test_the_consumer_of_events_prints_what_happens",
    ("docs/model-server.md", "toml"): "tests/contract/test_documents.py::test_the_script_is_played_as_it_says",
    ("docs/operations.md", "postgresql"): "tests/component/test_documents.py::test_the_login_of_postgresql_is_accepted",
    ("docs/operations.md", "mysql"): "tests/component/test_documents.py::test_the_login_of_mysql_is_accepted",
    ("docs/streaming.md", "js"): "tests/e2e/test_streaming.py::test_a_page_follows_as_documented",
    ("docs/webhooks.md", "python"): "tests/contract/test_documents.py::test_webhooks_are_verified_as_documented",
}


@dataclass(frozen=True)
class Block:
    """A fenced block; `about` are the words behind its language."""

    document: str
    line: int
    language: str
    about: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for a person."""
        return f"{self.document}:{self.line}"


def blocks(language: str | None = None) -> list[Block]:
    """All of them, or those of a language, in order."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = [block for path in paths for block in _blocks(path)]
    return [block for block in found if language in (None, block.language)]


def _blocks(path: Path) -> list[Block]:
    text, found = path.read_text(), []
    for match in _BLOCK.finditer(text):
        language, _, about = match["words"].strip().partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(str(path.relative_to(ROOT)), line, language, about, match["text"]))
    return found


def the(document: str, language: str) -> str:
    """The only block of a language in a document."""
    (found,) = (block for block in blocks(language) if block.document == document)
    return found.text
