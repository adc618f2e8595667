"""What the model was sent, and what became of it: for assertions, and at GET /control/requests."""

from collections import deque
from typing import Literal

import msgspec

MAX_REQUESTS = 1000
MAX_BYTES = 64_000_000

Outcome = Literal["answering", "answered", "failed", "broken_off", "hung_up"]


class Served(msgspec.Struct, kw_only=True):
    """A request. `text` is everything that was said in it; `body` all of it, tools included, as it came.

    outcome: answering (or hanging) now; answered in full; failed: an HTTP error was answered; broken_off: as the
    script wanted; hung_up: the client closed the connection first.
    """

    protocol: str
    path: str
    model: str = ""
    asked: str = ""
    text: str = ""
    tools: tuple[str, ...] = ()
    body: str = ""
    rule: str = ""
    step: int = 0
    status: int = 200
    complaint: str = ""
    outcome: Outcome = "answering"
    input_tokens: int = 0
    output_tokens: int = 0


class RequestLog:
    """The newest requests, oldest first: at most `MAX_REQUESTS` and `MAX_BYTES` of bodies; `total` counts all."""

    def __init__(self) -> None:
        self.requests: deque[Served] = deque()
        self.total = 0
        self._bytes = 0

    def add(self, served: Served) -> Served:
        """Note a request; what is known about it later is written into it."""
        self.requests.append(served)
        self.total += 1
        self._bytes += len(served.body)
        while len(self.requests) > MAX_REQUESTS or self._bytes > MAX_BYTES:
            self._bytes -= len(self.requests.popleft().body)
        return served

    def clear(self) -> None:
        """Forget them all."""
        self.requests.clear()
        self.total = self._bytes = 0
