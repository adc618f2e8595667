"""One human line per log line of a service: time, service, what happened, and what is known about it."""

import sys
from datetime import datetime
from typing import Any, TextIO

import msgspec

_COLOURS = {
    "gateway": 36,
    "auth": 33,
    "account": 32,
    "connection-indexer": 35,
    "chat-agent": 34,
    "devstack": 37,
}
_LEVELS = {"WARNING": 33, "ERROR": 31, "CRITICAL": 31}
_SHOWN_ELSEWHERE = frozenset(("time", "level", "service", "message", "exception"))
_NOISE = frozenset(("logger", "trace_id", "color_message"))
_WIDTH = 18


class Console:
    """Writes to `out`, in colour when that is a terminal (or `colour` says so); `quiet` keeps to what is wrong."""

    def __init__(self, out: TextIO = sys.stdout, *, colour: bool | None = None, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._colour = out.isatty() if colour is None else colour

    def relay(self, service: str, line: str) -> None:
        """A line that a service wrote: JSON as its logs are, or anything else as it is."""
        try:
            record = msgspec.json.decode(line)
        except msgspec.DecodeError:
            record = None
        if not isinstance(record, dict):
            self._print(_clock(None), service, line.rstrip(), "")
            return
        level = str(record.get("level", "")).upper()
        text = f"{record.get('message', '')}{_details(record)}"
        self._print(_clock(record.get("time")), service, text, level)
        if record.get("exception"):
            self.plain(str(record["exception"]))

    def say(self, text: str, level: str = "INFO") -> None:
        """A line of our own."""
        self._print(_clock(None), "devstack", text, level)

    def plain(self, text: str) -> None:
        """Text as it is."""
        self._out.write(f"{text}\n")
        self._out.flush()

    def _print(self, clock: str, service: str, text: str, level: str) -> None:
        if self._quiet and level not in _LEVELS:
            return
        name = self._paint(f"{service:<{_WIDTH}}", _COLOURS.get(service, 37))
        mark = f"{level.lower()}: " if level in _LEVELS else ""
        body = self._paint(f"{mark}{text}", _LEVELS.get(level, 0))
        self._out.write(f"{self._paint(clock, 90)} {name} {body}\n")
        self._out.flush()

    def _paint(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text


def _clock(given: Any) -> str:
    """Local wall-clock time of an RFC 3339 time, or of now."""
    try:
        moment = datetime.fromisoformat(str(given)).astimezone()
    except ValueError:
        moment = datetime.now().astimezone()
    return moment.strftime("%H:%M:%S")


def _details(record: dict[str, Any]) -> str:
    shown = {k: v for k, v in record.items() if k not in _SHOWN_ELSEWHERE | _NOISE and v not in (None, "")}
    return "".join(f"  {key}={_short(value)}" for key, value in shown.items())


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 120 else f"{text[:119]}…"
