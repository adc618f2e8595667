"""Server-sent events as a browser reads them (HTML standard, 9.2.6), over httpx.

async with listening(client, "GET", url, headers=…) as reader:
    event = await reader.next()
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    """One event; `data` as it came, `last_id` as the browser would send it when it connects again."""

    name: str
    data: str
    last_id: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Reader:
    """Events in order. `comments` counts heartbeats; `retry` is what the server asked for, in milliseconds."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.events: list[Event] = []
        self.last_id = ""
        self.comments = 0
        self.retry = 0
        self.whole = False  # ended as HTTP says that it should
        self._taken = 0
        self._news = asyncio.Event()

    async def placed(self, seconds: float = 5.0) -> str:
        """The id that the stream gives before any message."""
        async with asyncio.timeout(seconds):
            while not self.last_id:
                self._news.clear()
                await self._news.wait()
        return self.last_id

    async def next(self, seconds: float = 5.0) -> Event:
        """The next event; fails when there is none."""
        async with asyncio.timeout(seconds):
            while self._taken >= len(self.events):
                assert not self.whole, "the stream has ended"
                self._news.clear()
                await self._news.wait()
        self._taken += 1
        return self.events[self._taken - 1]

    async def rest(self, seconds: float = 5.0) -> list[Event]:
        """All events up to the end of the stream, which must come."""
        async with asyncio.timeout(seconds):
            while not self.whole:
                self._news.clear()
                await self._news.wait()
        found, self._taken = self.events[self._taken :], len(self.events)
        return found

    async def read(self) -> None:
        """Read until the connection ends, one way or the other."""
        fields: dict[str, list[str]] = {}
        try:
            async for line in self.response.aiter_lines():
                fields = self._line(line, fields)
                self._news.set()
            self.whole = True
        except httpx.TransportError:
            pass
        self._news.set()

    def _line(self, line: str, fields: dict[str, list[str]]) -> dict[str, list[str]]:
        if not line:
            self._dispatch(fields)
            return {}
        name, _, value = line.partition(":")
        if not name:
            self.comments += 1
            return fields
        return fields | {name: [*fields.get(name, []), value.removeprefix(" ")]}

    def _dispatch(self, fields: dict[str, list[str]]) -> None:
        self.last_id = fields.get("id", [self.last_id])[-1]
        self.retry = int(fields.get("retry", [str(self.retry)])[-1])
        if "data" in fields:
            name = fields.get("event", ["message"])[-1]
            self.events.append(Event(name, "\n".join(fields["data"]), self.last_id))


@asynccontextmanager
async def listening(client: httpx.AsyncClient, method: str, url: str, **arguments: Any) -> AsyncIterator[Reader]:
    """The answer must be a stream of events."""
    async with client.stream(method, url, **arguments) as response:
        if response.status_code != 200:
            await response.aread()
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "text/event-stream"
        reader = Reader(response)
        reading = asyncio.create_task(reader.read())
        try:
            yield reader
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
