"""From a conversation to the model's next turn, by a script."""

import re
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import msgspec

from basejump_devstack.model_server import tokens
from basejump_devstack.model_server.conversation import Conversation
from basejump_devstack.model_server.script import Call, Fail, Rule, Script, ScriptError, Step, expression
from basejump_devstack.model_server.templates import Template

_REMEMBERED = 10_000


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A turn of the model with everything filled in. The arguments of calls are text."""

    model: str
    say: str
    calls: tuple[tuple[str, str], ...]
    refuse: str
    finish: str | None
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, kw_only=True)
class Play:
    """What is done about a request: `fail` now, or `step`, whose turn is `spoken` or the text `raw`."""

    rule: str
    number: int
    step: Step
    spoken: Spoken
    raw: str | None
    fail: Fail | None


class Player:
    """Plays a script, which may be exchanged. Remembers which failures and which items were given."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._failures: OrderedDict[Hashable, int] = OrderedDict()
        self._items: OrderedDict[Hashable, int] = OrderedDict()
        self._next: dict[int, int] = {}

    def play(self, conversation: Conversation) -> Play:
        """Raises ScriptError when no rule fits, or one names what isn't there."""
        for at, rule in enumerate(self.script.rules):
            if _fits(rule, conversation):
                return self._play(at, rule, conversation)
        raise ScriptError(f"no rule fits: {conversation.asked[-500:]!r} at step {conversation.step}")

    def _play(self, at: int, rule: Rule, conversation: Conversation) -> Play:
        number = min(conversation.step, len(rule.steps) - 1)
        step = rule.steps[number]
        asked = expression(rule.asked or "").search(conversation.asked)
        groups = asked.groupdict() if asked else {}
        template = Template(
            conversation=conversation, groups=groups, item=self._item(at, rule, conversation, groups.get("item"))
        )
        return Play(
            rule=rule.name or f"rule {at + 1}",
            number=number,
            step=step,
            spoken=_spoken(step, template),
            raw=None if step.raw is None else template.fill(step.raw),
            fail=self._failure(step.fail, (at, number, conversation.turns)),
        )

    def _failure(self, fail: Fail | None, key: Hashable) -> Fail | None:
        """A failure that comes `times` times before each success of the same request."""
        if fail is None or fail.times is None:
            return fail
        failed = self._failures.pop(key, 0)
        if failed >= fail.times:
            return None
        _remember(self._failures, key, failed + 1)
        return fail

    def _item(self, at: int, rule: Rule, conversation: Conversation, number: str | None) -> str | None:
        if not rule.items:
            return None
        if number is not None:
            return _numbered(rule, number)
        key = (at, conversation.until_asked)
        if key not in self._items:
            _remember(self._items, key, self._next.get(at, 0))
            self._next[at] = self._items[key] + 1
        return rule.items[self._items[key] % len(rule.items)]


def _numbered(rule: Rule, number: str) -> str:
    try:
        return rule.items[int(number)]
    except (ValueError, IndexError) as error:
        raise ScriptError(f"{rule.name or 'the rule'} has no item {number!r}") from error


def _remember(memory: "OrderedDict[Hashable, int]", key: Hashable, value: int) -> None:
    memory[key] = value
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)


def _fits(rule: Rule, conversation: Conversation) -> bool:
    texts = (
        (rule.asked, conversation.asked),
        (rule.result, "\n".join(conversation.last_results)),
        (rule.system, conversation.system),
        (rule.model, conversation.model),
        (rule.seen, conversation.text),
    )
    return (
        rule.protocol in (None, conversation.protocol)
        and set(rule.tools) <= set(conversation.tools)
        and all(pattern is None or _found(pattern, text) for pattern, text in texts)
    )


def _found(pattern: str, text: str) -> "re.Match[str] | None":
    return expression(pattern).search(text)


def _spoken(step: Step, template: Template) -> Spoken:
    conversation = template.conversation
    say, refuse = template.fill(step.say), template.fill(step.refuse)
    calls = tuple((template.fill(call.tool), _arguments(call, template)) for call in step.calls)
    estimate = sum(map(tokens.count, (say, refuse, *(part for call in calls for part in call))))
    given = step.usage
    return Spoken(
        model=conversation.model,
        say=say,
        calls=calls,
        refuse=refuse,
        finish=step.finish,
        input_tokens=conversation.input_tokens if given.input is None else given.input,
        output_tokens=estimate if given.output is None else given.output,
    )


def _arguments(call: Call, template: Template) -> str:
    if isinstance(call.arguments, str):
        return template.fill(call.arguments)
    return msgspec.json.encode(template.fill_all(call.arguments)).decode()
