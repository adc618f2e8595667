"""Anthropic's messages, versions 2023-06-01 and 2026-10-21: https://docs.anthropic.com/en/api/messages.

For this server they differ in where the API key is: in a header of its own, or as a bearer token.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from basejump_devstack.model_server import tokens
from basejump_devstack.model_server.conversation import BadRequest, Conversation, Turn
from basejump_devstack.model_server.playing import Spoken
from basejump_devstack.model_server.wire import (
    MODEL,
    Frame,
    bearer_token,
    decode,
    encode,
    estimate,
    event,
    new_id,
    text_of,
)

_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}

Blocks = list[dict[str, Any]]


class _Message(msgspec.Struct):
    role: Literal["user", "assistant"]
    content: str | Blocks


class _Tool(msgspec.Struct):
    name: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    input_schema: dict[str, Any]
    description: str = ""


class _Request(msgspec.Struct):
    model: str
    max_tokens: Annotated[int, Meta(ge=1)]
    messages: Annotated[list[_Message], Meta(min_length=1)]
    system: str | Blocks = ""
    tools: list[_Tool] = []
    stream: bool | None = None


class AnthropicWire:
    """See `Wire`."""

    @property
    def name(self) -> Literal["anthropic"]:
        """See `Wire.name`."""
        return "anthropic"

    def key(self, headers: Mapping[str, str]) -> str:
        """See `Wire.key`."""
        return headers.get("x-api-key", "") or bearer_token(headers)

    def read(self, body: bytes) -> Conversation:
        """See `Wire.read`."""
        request = decode(body, _Request)
        messages = [(message.role, _blocks(message.content)) for message in request.messages]
        _calls_are_answered(messages)
        system = text_of(request.system)
        turns = tuple(turn for role, blocks in messages for turn in _turns(role, blocks))
        return Conversation(
            protocol="anthropic",
            model=request.model,
            system=system,
            turns=turns,
            tools=tuple(tool.name for tool in request.tools),
            stream=bool(request.stream),
            input_tokens=estimate(system, *(turn.text for turn in turns), *map(msgspec.to_builtins, request.tools)),
        )

    def whole(self, spoken: Spoken) -> bytes:
        """See `Wire.whole`."""
        content: Blocks = [{"type": "text", "text": text} for text in (spoken.say, spoken.refuse) if text]
        for name, arguments in spoken.calls:
            call = {"type": "tool_use", "id": new_id("toolu_"), "name": name}
            content.append(call | {"input": msgspec.Raw(arguments.encode())})
        given = {"content": content, "stop_reason": _stop(spoken), "usage": _usage(spoken, spoken.output_tokens)}
        return encode(_message(spoken) | given)

    def frames(self, spoken: Spoken, *, usage: bool) -> Iterator[Frame]:  # noqa: ARG002 (it always says the usage)
        """See `Wire.frames`."""
        yield _event("message_start", message=_message(spoken)), 0
        yield _event("ping"), 0
        for index, block in enumerate(_streamed(spoken)):
            yield from _block(index, *block)
        delta = {"stop_reason": _stop(spoken), "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage=_usage(spoken, spoken.output_tokens)), 0
        yield _event("message_stop"), 0

    def failure(self, status: int, message: str, kind: str | None) -> bytes:
        """See `Wire.failure`."""
        usual = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        error = {"type": kind or usual, "message": message}
        return encode({"type": "error", "error": error, "request_id": new_id("req_")})

    def broken(self) -> bytes:
        """See `Wire.broken`."""
        return _event("error", error={"type": "overloaded_error", "message": "Overloaded"})

    def models(self) -> bytes:
        """See `Wire.models`."""
        created = "2025-01-01T00:00:00Z"
        model = {"type": "model", "id": MODEL, "display_name": MODEL, "created_at": created}
        return encode({"data": [model], "has_more": False, "first_id": MODEL, "last_id": MODEL})


def _blocks(content: str | Blocks) -> Blocks:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for block in blocks:
        if block.get("type") == "text" and not str(block.get("text", "")).strip():
            raise BadRequest("messages: text content blocks must be non-empty")
        if block.get("type") == "tool_use" and not isinstance(block.get("input"), dict):
            raise BadRequest("messages: tool_use.input: Input should be a valid dictionary")
    return blocks


def _calls_are_answered(messages: Sequence[tuple[str, Blocks]]) -> None:
    """The message after one with tool calls holds the results of all of them; results stand nowhere else."""
    waiting: set[str] = set()
    for _, blocks in messages:
        answered = {str(block.get("tool_use_id")) for block in blocks if block.get("type") == "tool_result"}
        if answered != waiting:
            wrong = ", ".join(sorted(answered ^ waiting))
            raise BadRequest(f"messages: each `tool_use` needs its `tool_result` in the next message: {wrong}")
        waiting = {str(block.get("id")) for block in blocks if block.get("type") == "tool_use"}
    if waiting:
        raise BadRequest(f"messages: `tool_use` without `tool_result`: {', '.join(sorted(waiting))}")


def _turns(role: str, blocks: Blocks) -> Iterator[Turn]:
    text = text_of(blocks)
    if role == "assistant":
        calls = (f"{b['name']}({encode(b['input']).decode()})" for b in blocks if b.get("type") == "tool_use")
        yield Turn("model", "\n".join(filter(None, (text, *calls))))
        return
    for block in blocks:
        if block.get("type") == "tool_result":
            yield Turn("tool", text_of(block.get("content")))
    if text:
        yield Turn("person", text)


def _message(spoken: Spoken) -> dict[str, Any]:
    """A message that has only begun."""
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": spoken.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(spoken, 1),
    }


def _streamed(spoken: Spoken) -> Iterator[tuple[dict[str, Any], str, str, str]]:
    """Each block as it begins, the type and the field of its deltas, and the text that they carry."""
    for text in filter(None, (spoken.say, spoken.refuse)):
        yield {"type": "text", "text": ""}, "text_delta", "text", text
    for name, arguments in spoken.calls:
        call = {"type": "tool_use", "id": new_id("toolu_"), "name": name, "input": {}}
        yield call, "input_json_delta", "partial_json", arguments


def _block(index: int, begun: dict[str, Any], kind: str, field: str, text: str) -> Iterator[Frame]:
    yield _event("content_block_start", index=index, content_block=begun), tokens.count(begun.get("name", ""))
    for piece, carried in tokens.pieces(text):
        yield _event("content_block_delta", index=index, delta={"type": kind, field: piece}), carried
    yield _event("content_block_stop", index=index), 0


def _event(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)


def _stop(spoken: Spoken) -> str:
    if spoken.refuse:
        return "refusal"
    if spoken.finish:
        return "max_tokens"
    return "tool_use" if spoken.calls else "end_turn"


def _usage(spoken: Spoken, output: int) -> dict[str, int]:
    return {
        "input_tokens": spoken.input_tokens,
        "output_tokens": output,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
