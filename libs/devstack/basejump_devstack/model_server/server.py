"""The HTTP server: which path is whose, what is refused, how answers are paced and break off."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from basejump_common.health import SilentServer
from basejump_devstack.model_server.anthropic_wire import AnthropicWire
from basejump_devstack.model_server.conversation import BadRequest
from basejump_devstack.model_server.embedding import embeddings
from basejump_devstack.model_server.log import RequestLog, Served
from basejump_devstack.model_server.openai_wire import OpenAIWire
from basejump_devstack.model_server.playing import Play, Player
from basejump_devstack.model_server.script import MAX_SECONDS, Ending, Fail, Script, ScriptError
from basejump_devstack.model_server.wire import Frame, Wire, encode

MAX_BODY = 32_000_000
_OPENAI: Wire = OpenAIWire()
_ANTHROPIC: Wire = AnthropicWire()
_CHATS: dict[str, Wire] = {"/v1/chat/completions": _OPENAI, "/v1/messages": _ANTHROPIC}


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Protocol(HttpToolsProtocol):
    """Lets the application end the connection in the middle of an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class ModelServer:
    """Serves for as long as the block lasts; port 0 takes a free one. `script` may be exchanged at any time."""

    def __init__(self, script: Script | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.log = RequestLog()
        self.host = host
        self.port = port
        self._player = Player(script or Script())
        self._stop = contextlib.AsyncExitStack()

    @property
    def script(self) -> Script:
        """What is played."""
        return self._player.script

    @script.setter
    def script(self, script: Script) -> None:
        self._player = Player(script)

    @property
    def openai_url(self) -> str:
        """The base URL for clients of OpenAI."""
        return f"{self.anthropic_url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The base URL for clients of Anthropic, who add the /v1 themselves."""
        return f"http://{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        listener = socket.create_server((self.host, self.port))
        # Else a stream's first event waits 40 ms for the acknowledgement of its head: asyncio sets this only on sockets
        # that name their protocol, and what a listener has its connections inherit.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listener.getsockname()[1]
        await self._stop.enter_async_context(_serving(self, listener))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop.aclose()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI application."""
        exchange = _Exchange(scope, receive, send)
        wire = _CHATS.get(scope["path"]) or (_ANTHROPIC if "anthropic-version" in exchange.headers else _OPENAI)
        try:
            await self._answer(wire, exchange)
        except _Refused as refused:
            await exchange.answer(refused.status, wire.failure(refused.status, str(refused), None))

    async def _answer(self, wire: Wire, exchange: "_Exchange") -> None:
        match exchange.method, exchange.path:
            case "POST", path if path in _CHATS:
                await self._chat(wire, exchange)
            case "POST", "/v1/embeddings":
                await exchange.answer(200, await self._embed(exchange))
            case "GET", "/v1/models":
                await exchange.answer(200, wire.models())
            case "GET", "/control/requests":
                await exchange.answer(200, encode(list(self.log.requests)))
            case "DELETE", "/control/requests":
                self.log.clear()
                await exchange.answer(200, b"{}")
            case _:
                raise _Refused(404, f"there is no {exchange.method} {exchange.path}")

    async def _embed(self, exchange: "_Exchange") -> bytes:
        body = await exchange.body()
        served = self.log.add(Served(protocol="openai", path=exchange.path, body=body.decode(errors="replace")))
        try:
            answer = embeddings(body, self.script.alike)
        except BadRequest as refused:
            served.status, served.outcome, served.complaint = 400, "failed", str(refused)
            raise _Refused(400, str(refused)) from refused
        served.outcome = "answered"
        return answer

    async def _chat(self, wire: Wire, exchange: "_Exchange") -> None:
        body = await exchange.body()
        served = self.log.add(Served(protocol=wire.name, path=exchange.path, body=body.decode(errors="replace")))
        try:
            if not wire.key(exchange.headers):
                raise _Refused(401, "no API key: any will do")
            await _Performance(wire, exchange, served).give(*self._read(wire, body, served))
        except _Refused as refused:
            served.status, served.outcome, served.complaint = refused.status, "failed", str(refused)
            raise

    def _read(self, wire: Wire, body: bytes, served: Served) -> tuple[Play, bool, bool]:
        """What to play, whether it is streamed, and with the usage."""
        try:
            conversation = wire.read(body)
            served.model, served.asked = conversation.model, conversation.asked
            served.text, served.tools = conversation.text, conversation.tools
            play = self._player.play(conversation)
        except (BadRequest, ScriptError) as refused:
            raise _Refused(400, f"{type(refused).__name__}: {refused}") from refused
        served.rule, served.step = play.rule, play.number
        served.input_tokens, served.output_tokens = play.spoken.input_tokens, play.spoken.output_tokens
        return play, conversation.stream, conversation.include_usage


class _Performance:
    """One play, for one request."""

    def __init__(self, wire: Wire, exchange: "_Exchange", served: Served) -> None:
        self._wire = wire
        self._exchange = exchange
        self._served = served

    async def give(self, play: Play, stream: bool, usage: bool) -> None:
        """Answer for as long as the client listens."""
        giving = asyncio.create_task(self._give(play, stream, usage))
        leaving = asyncio.create_task(self._exchange.left())
        await asyncio.wait((giving, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not giving.done() and self._served.outcome == "answering":
            self._served.outcome = "hung_up"
        giving.cancel()
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await giving

    async def _give(self, play: Play, stream: bool, usage: bool) -> None:
        step, ending = play.step, play.step.ending
        await asyncio.sleep(step.delay)
        if play.fail is not None:
            await self._fail(play.fail)
        elif ending is not None and not (stream and _in_stream(ending)):
            await self._break_off("cut" if ending.how != "hang" else "hang")
        elif stream:
            await self._stream(play, usage)
        else:
            await asyncio.sleep(step.token_delay * play.spoken.output_tokens)
            whole = self._wire.whole(play.spoken) if play.raw is None else play.raw.encode()
            await self._exchange.answer(200, whole)
            self._served.outcome = "answered"

    async def _fail(self, fail: Fail) -> None:
        self._served.status, self._served.outcome = fail.status, "failed"
        headers = {} if fail.retry_after is None else {"retry-after": f"{fail.retry_after:g}"}
        await self._exchange.answer(fail.status, self._wire.failure(fail.status, fail.message, fail.kind), headers)

    async def _stream(self, play: Play, usage: bool) -> None:
        ending, sent = play.step.ending, 0
        await self._exchange.begin(200, "text/event-stream")
        for data, carried in self._frames(play, usage):
            if ending is not None and sent >= (ending.after or 0):
                await self._break_off(ending.how)
                return
            await asyncio.sleep(play.step.token_delay * carried)
            await self._exchange.send(data)
            sent += carried
        await self._exchange.end()
        self._served.outcome = "answered"

    def _frames(self, play: Play, usage: bool) -> Iterator[Frame]:
        if play.raw is not None:
            return iter([(f"data: {play.raw}\n\n".encode(), 0)])
        return self._wire.frames(play.spoken, usage=usage)

    async def _break_off(self, how: str) -> None:
        if how == "hang":
            await asyncio.sleep(MAX_SECONDS)
        self._served.outcome = "broken_off"
        match how:
            case "error":
                await self._exchange.send(self._wire.broken(), more=False)
            case "end":
                await self._exchange.end()
            case _:
                await self._exchange.cut()


def _in_stream(ending: Ending) -> bool:
    """Does the answer begin before it breaks off?"""
    return ending.after is not None or ending.how in ("end", "error")


class _Exchange:
    """A request and its answer."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[str, str] = {n.decode("latin-1"): v.decode("latin-1") for n, v in scope["headers"]}
        self._transport: asyncio.Transport = scope["state"]["transport"]
        self._receive = receive
        self._send = send

    async def body(self) -> bytes:
        """Everything sent. Raises _Refused when that is too much."""
        body, more = bytearray(), True
        while more:
            message = await self._receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                raise _Refused(413, f"a request has at most {MAX_BODY} bytes")
        return bytes(body)

    async def left(self) -> None:
        """Returns once the client has closed the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def cut(self) -> None:
        """End the connection at once."""
        self._transport.abort()
        await self.left()

    async def begin(self, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        """Send the head of the answer."""
        given = {"content-type": kind, **(headers or {})}
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def send(self, data: bytes, *, more: bool = True) -> None:
        """Send a part of the answer."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def end(self) -> None:
        """There is no more."""
        await self.send(b"", more=False)

    async def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """The whole answer at once."""
        await self.begin(status, "application/json", {"content-length": str(len(body)), **(headers or {})})
        await self.send(body, more=False)


@contextlib.asynccontextmanager
async def _serving(application: ModelServer, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        application,
        http=_Protocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        limit_concurrency=1000,
        timeout_graceful_shutdown=1,
    )
    server = SilentServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
