"""Structured JSON logs on stderr, each line with the request id, the trace and the operation it belongs to."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec


class Bound(msgspec.Struct, frozen=True):
    """What log lines of one request share."""

    request_id: str
    traceparent: str
    operation: str


_bound: ContextVar[Bound | None] = ContextVar("bound", default=None)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_encoder = msgspec.json.Encoder(enc_hook=str)


@contextmanager
def bind_request(request_id: str, traceparent: str, operation: str) -> Iterator[None]:
    """Log lines written inside carry these."""
    token = _bound.set(Bound(request_id, traceparent, operation))
    try:
        yield
    finally:
        _bound.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, service, logger, message, the bound request, `extra`, the exception."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (bound := _bound.get()) is not None:
            line |= {"request_id": bound.request_id, "trace_id": _trace_id(bound), "operation": bound.operation}
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encoder.encode(line).decode()


def _trace_id(bound: Bound) -> str:
    return bound.traceparent.split("-")[1] if bound.traceparent.count("-") == 3 else ""


def configure_logging(service: str, level: str = "info", log_format: str = "json") -> None:
    """All loggers to stderr. `log_format`: `json`, or `text` for a person."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter(f"%(asctime)s %(levelname)-7s {service} %(message)s")
    handler.setFormatter(text if log_format == "text" else JsonFormatter(service))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # `ready` and `stopped` say what matters
    for chatty in ("httpcore", "httpx"):  # they write down addresses and headers, which may be secret
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # our own callbacks log what it would, once
