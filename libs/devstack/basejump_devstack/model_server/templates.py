"""`${...}` in a script's texts: what was asked, what tools said. `script.py` lists the forms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from basejump_devstack.model_server.conversation import Conversation
from basejump_devstack.model_server.script import ScriptError, expression

MAX_TEXT = 32_000_000
_FORM = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")  # a regular expression within may hold {n,m}


@dataclass(frozen=True, kw_only=True)
class Template:
    """Fills in texts for one turn. `groups` are those of the rule's `asked`."""

    conversation: Conversation
    groups: Mapping[str, str | None]
    item: str | None

    def fill(self, text: str) -> str:
        """Raises ScriptError when something named isn't there."""
        return _FORM.sub(lambda form: self._value(form[1]), text)

    def fill_all(self, value: Any) -> Any:
        """The same in every text of a JSON value."""
        match value:
            case str():
                return self.fill(value)
            case dict():
                return {self.fill(name): self.fill_all(member) for name, member in value.items()}
            case list():
                return [self.fill_all(member) for member in value]
            case _:
                return value

    def _value(self, form: str) -> str:
        kind, _, rest = form.partition(":")
        if kind == "find":
            return self._find(rest)
        if kind == "repeat":
            return _repeat(rest)
        name, _, path = form.partition(".")
        if name == "asked":
            return self._asked(path)
        if name == "result" and self.conversation.results:
            return _member(self.conversation.results[-1], path)
        if name == "item" and self.item is not None:
            return self.item
        raise ScriptError(f"there is nothing for ${{{form}}}")

    def _asked(self, group: str) -> str:
        value = self.groups.get(group) if group else self.conversation.asked
        if value is None:
            raise ScriptError(f"`asked` has no group {group!r}")
        return value

    def _find(self, pattern: str) -> str:
        for said in reversed(self.conversation.results):
            if found := expression(pattern).search(said):
                return found[1 if found.re.groups else 0] or ""
        raise ScriptError(f"no tool said {pattern!r}")


def _repeat(form: str) -> str:
    times, _, text = form.partition(":")
    if not times.isdecimal() or int(times) * len(text) > MAX_TEXT:
        raise ScriptError(f"can't repeat {form[:40]!r}: at most {MAX_TEXT} characters")
    return text * int(times)


def _member(said: str, path: str) -> str:
    if not path:
        return said
    try:
        value = msgspec.json.decode(said)
        for name in path.split("."):
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
        raise ScriptError(f"the result has no {path!r}: {said[:200]!r}") from error
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
