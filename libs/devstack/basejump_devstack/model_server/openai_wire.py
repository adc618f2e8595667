"""OpenAI's chat completions, as of the version of 2025: https://platform.openai.com/docs/api-reference/chat."""

import time
from collections.abc import Iterator, Mapping
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

_KINDS = {401: "invalid_request_error", 429: "requests", 500: "server_error", 503: "server_error"}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
_DONE = b"data: [DONE]\n\n"


class _Function(msgspec.Struct):
    name: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
    arguments: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _ToolCall(msgspec.Struct):
    id: str
    function: _Function


class _Message(msgspec.Struct):
    role: Literal["developer", "system", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


class _Tool(msgspec.Struct):
    type: Literal["function"]
    function: _Function


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Request(msgspec.Struct):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    tools: list[_Tool] = []
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    response_format: dict[str, Any] | None = None


class OpenAIWire:
    """See `Wire`."""

    @property
    def name(self) -> Literal["openai"]:
        """See `Wire.name`."""
        return "openai"

    def key(self, headers: Mapping[str, str]) -> str:
        """See `Wire.key`."""
        return bearer_token(headers)

    def read(self, body: bytes) -> Conversation:
        """See `Wire.read`."""
        request = decode(body, _Request)
        _calls_are_answered(request.messages)
        spoken = [message for message in request.messages if message.role not in ("system", "developer")]
        system = "\n".join(text_of(m.content) for m in request.messages if m.role in ("system", "developer"))
        turns = tuple(_turn(message) for message in spoken)
        return Conversation(
            protocol="openai",
            model=request.model,
            system=system,
            turns=turns,
            tools=tuple(tool.function.name for tool in request.tools),
            stream=bool(request.stream),
            include_usage=request.stream_options is not None and request.stream_options.include_usage,
            input_tokens=estimate(
                system, *(turn.text for turn in turns), *_described(request.tools), request.response_format
            ),
        )

    def whole(self, spoken: Spoken) -> bytes:
        """See `Wire.whole`."""
        message: dict[str, Any] = {"role": "assistant", "content": spoken.say or None, "refusal": spoken.refuse or None}
        if spoken.calls:
            message["tool_calls"] = [
                {"id": new_id("call_"), "type": "function", "function": {"name": name, "arguments": arguments}}
                for name, arguments in spoken.calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(spoken)}
        return encode(_head(spoken, "chat.completion") | {"choices": [choice], "usage": _usage(spoken)})

    def frames(self, spoken: Spoken, *, usage: bool) -> Iterator[Frame]:
        """See `Wire.frames`."""
        head = _head(spoken, "chat.completion.chunk") | ({"usage": None} if usage else {})
        for delta, carried in _deltas(spoken):
            yield event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}), carried
        yield event(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": _finish(spoken)}]}), 0
        if usage:
            yield event(head | {"choices": [], "usage": _usage(spoken)}), 0
        yield _DONE, 0

    def failure(self, status: int, message: str, kind: str | None) -> bytes:
        """See `Wire.failure`."""
        usual = _KINDS.get(status, "server_error" if status > 500 else "invalid_request_error")
        code = kind or _CODES.get(status)
        return encode({"error": {"message": message, "type": kind or usual, "param": None, "code": code}})

    def broken(self) -> bytes:
        """See `Wire.broken`."""
        message = "The server had an error while processing your request. Sorry about that!"
        return event({"error": {"message": message, "type": "server_error", "param": None, "code": None}})

    def models(self) -> bytes:
        """See `Wire.models`."""
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "basejump"}
        return encode({"object": "list", "data": [model]})


def _calls_are_answered(messages: list[_Message]) -> None:
    """Right after a message with tool calls stand the results of all of them; results stand nowhere else."""
    waiting: set[str] = set()
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                raise BadRequest("messages with role 'tool' must answer a preceding message with 'tool_calls'")
            waiting.remove(message.tool_call_id)
            continue
        if waiting:
            raise BadRequest(f"these tool_call_ids have no answer: {', '.join(sorted(waiting))}")
        if message.role == "assistant" and message.content is None and not message.tool_calls and not message.refusal:
            raise BadRequest("an assistant message needs content or tool_calls")
        waiting = {call.id for call in message.tool_calls or ()}
    if waiting:
        raise BadRequest(f"these tool_call_ids have no answer: {', '.join(sorted(waiting))}")


def _turn(message: _Message) -> Turn:
    text = text_of(message.content)
    match message.role:
        case "user":
            return Turn("person", text)
        case "tool":
            return Turn("tool", text)
        case _:
            calls = (f"{call.function.name}({call.function.arguments})" for call in message.tool_calls or ())
            return Turn("model", "\n".join(filter(None, (text, message.refusal, *calls))))


def _described(tools: list[_Tool]) -> list[dict[str, Any]]:
    return [
        {"name": f.name, "description": f.description, "parameters": f.parameters}
        for f in (tool.function for tool in tools)
    ]


def _head(spoken: Spoken, kind: str) -> dict[str, Any]:
    return {"id": new_id("chatcmpl-"), "object": kind, "created": int(time.time()), "model": spoken.model}


def _deltas(spoken: Spoken) -> Iterator[tuple[dict[str, Any], int]]:
    yield {"role": "assistant", "content": None if spoken.calls and not spoken.say else "", "refusal": None}, 0
    for field, text in (("content", spoken.say), ("refusal", spoken.refuse)):
        for piece, carried in tokens.pieces(text):
            yield {field: piece}, carried
    for index, (name, arguments) in enumerate(spoken.calls):
        function = {"name": name, "arguments": ""}
        call = {"index": index, "id": new_id("call_"), "type": "function", "function": function}
        yield {"tool_calls": [call]}, tokens.count(name)
        for piece, carried in tokens.pieces(arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, carried


def _finish(spoken: Spoken) -> str:
    return spoken.finish or ("tool_calls" if spoken.calls else "stop")


def _usage(spoken: Spoken) -> dict[str, int]:
    return {
        "prompt_tokens": spoken.input_tokens,
        "completion_tokens": spoken.output_tokens,
        "total_tokens": spoken.input_tokens + spoken.output_tokens,
    }
