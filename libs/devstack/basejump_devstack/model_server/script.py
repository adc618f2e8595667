"""What a script is: rules in a TOML file, tried from the top; the first that fits the conversation answers.

    [[rule]]
    asked = "how many (?P<what>employees|departments)"

    [[rule.step]]                       # the model's first turn after the question
    call = [{ tool = "run_sql", arguments = { sql = "select count(*) from ${asked.what}" } }]

    [[rule.step]]                       # its second; the last step is repeated for as long as the model is asked
    say = "There are ${result.rows.0.0} ${asked.what}."

So one rule with one step that calls a tool is a model going in circles, and a rule with `result` above it reacts to
what a tool said. In texts and arguments stand `${...}`:

    ${asked}  ${asked.NAME}     the question; a group of the rule's regular expression `asked`
    ${result}  ${result.a.0.b}  what the last tool said; a member of it, when that is JSON
    ${find:REGEX}               the first group (or all) of the newest match in what tools said since the question
    ${item}                     the rule's `items`: the next one for each question, or the one whose number (from 0) is
                                the group `item` of `asked`
    ${repeat:N:TEXT}            TEXT N times

Regular expressions are Python's, searched for without regard to case, `.` matching line ends too.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

MAX_SCRIPT_BYTES = 4_000_000
MAX_SECONDS = 600
Seconds = Annotated[float, Meta(ge=0, le=MAX_SECONDS)]
Tokens = Annotated[int, Meta(ge=0, le=10_000_000)]


class ScriptError(Exception):
    """The script can't be read, or doesn't say what to answer."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Call(_Part, frozen=True, kw_only=True):
    """A tool call. `arguments` that are text are sent as they are: JSON or not."""

    tool: str
    arguments: dict[str, Any] | str = {}


class Fail(_Part, frozen=True, kw_only=True):
    """An HTTP error in the provider's own shape; with `times`, only so often, then the step is played, and again."""

    status: Annotated[int, Meta(ge=400, le=599)]
    message: str = "scripted failure"
    kind: str | None = None
    retry_after: Seconds | None = None
    times: Annotated[int, Meta(ge=1, le=1000)] | None = None


class Ending(_Part, frozen=True, kw_only=True):
    """How an answer breaks off once `after` tokens were sent, or before anything was, headers included.

    hang: nothing more comes; cut: the connection ends; end: the stream ends in order but unfinished; error: the
    provider's error event. An answer that isn't streamed breaks off before anything was sent.
    """

    how: Literal["hang", "cut", "end", "error"]
    after: Tokens | None = None


class Usage(_Part, frozen=True, kw_only=True):
    """What the answer is said to have taken, instead of the estimate."""

    input: Tokens | None = None
    output: Tokens | None = None


class Step(_Part, frozen=True, kw_only=True, rename={"calls": "call"}):
    """One turn of the model: words, tool calls (several are parallel) or both; or a refusal; or a failure.

    `raw` is sent as the whole body, or as the only event of a stream. `delay` is before the first byte, `token_delay`
    before each token. `finish = "length"` says that the answer hit the limit of tokens.
    """

    say: str = ""
    calls: tuple[Call, ...] = ()
    refuse: str = ""
    raw: str | None = None
    fail: Fail | None = None
    delay: Seconds = 0
    token_delay: Seconds = 0
    ending: Ending | None = None
    finish: Literal["length"] | None = None
    usage: Usage = Usage()


class Rule(_Part, frozen=True, kw_only=True, rename={"steps": "step"}):
    """Fits when all its conditions do; without any it always fits.

    asked: the last thing that the person said; result: what the tools said since the model's last turn; system: the
    system prompt; seen: anything in the conversation; model: the model's name; tools: these are offered, maybe more.
    """

    name: str = ""
    asked: str | None = None
    result: str | None = None
    system: str | None = None
    seen: str | None = None
    model: str | None = None
    tools: tuple[str, ...] = ()
    protocol: Literal["openai", "anthropic"] | None = None
    items: tuple[str, ...] = ()
    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        for pattern in (self.asked, self.result, self.system, self.seen, self.model):
            try:
                expression(pattern or "")
            except re.error as error:
                raise ValueError(f"not a regular expression: {pattern!r}: {error}") from error


class Script(_Part, frozen=True, kw_only=True, rename={"rules": "rule"}):
    """What the model says. `alike`: texts that share no words and yet have the same embedding, a list for each."""

    about: str = ""
    rules: tuple[Rule, ...] = ()
    alike: tuple[tuple[str, ...], ...] = ()

    def __add__(self, other: "Script") -> "Script":
        """This one's rules first."""
        about, rules, alike = self.about or other.about, self.rules + other.rules, self.alike + other.alike
        return Script(about=about, rules=rules, alike=alike)


def expression(pattern: str) -> re.Pattern[str]:
    """A regular expression as scripts mean it."""
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def parse_script(text: bytes, name: str = "script") -> Script:
    """Raises ScriptError that says where what is wrong."""
    if len(text) > MAX_SCRIPT_BYTES:
        raise ScriptError(f"{name}: more than {MAX_SCRIPT_BYTES} bytes")
    try:
        return msgspec.toml.decode(text, type=Script)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ScriptError(f"{name}: {error}") from error


def load_script(path: Path, *more: Path) -> Script:
    """The rules of the files, in this order. Raises ScriptError."""
    return sum_of(parse_script(_read(each), each.name) for each in (path, *more))


def sum_of(scripts: Iterable[Script]) -> Script:
    """One script with the rules of all."""
    return sum(scripts, start=Script())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from error
