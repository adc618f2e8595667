"""What travels with a request: the caller's token, the request id, the trace and the absolute deadline."""

import secrets
import time
from uuid import uuid4

import msgspec

from basejump_common.security.principal import Principal
from basejump_common.security.secret import Secret

TOKEN = "Basejump-Token"  # noqa: S105 (a header's name)
REQUEST_ID = "Basejump-Request-Id"
DEADLINE = "Basejump-Deadline"
IDEMPOTENCY_KEY = "Basejump-Idempotency-Key"
TRACEPARENT = "traceparent"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """`deadline` is in seconds since the epoch; `principal` is set once the token has been verified.

    `idempotency_key` goes with the call that the caller made, never with those that follow from it.
    """

    request_id: str
    traceparent: str
    deadline: float
    token: Secret | None = None
    principal: Principal | None = None
    idempotency_key: str | None = None

    @classmethod
    def new(cls, token: Secret | None = None, principal: Principal | None = None, seconds: float = 30.0) -> "Context":
        """A context for work that no request began."""
        return cls(
            request_id=str(uuid4()),
            traceparent=new_traceparent(),
            deadline=time.time() + seconds,
            token=token,
            principal=principal,
        )

    @property
    def caller(self) -> Principal:
        """The verified caller; only operations that ask for a token may use it."""
        assert self.principal is not None, "an operation without a token has no caller"
        return self.principal

    def remaining(self) -> float:
        """Seconds until the deadline; negative when it has passed."""
        return self.deadline - time.time()

    def headers(self, timeout: float) -> dict[str, str]:
        """For a call that takes `timeout` seconds at most; the deadline never moves later."""
        headers = {
            REQUEST_ID: self.request_id,
            TRACEPARENT: self.traceparent,
            DEADLINE: f"{min(self.deadline, time.time() + timeout):.3f}",
        }
        if self.token is not None:
            headers[TOKEN] = self.token.reveal()
        if self.idempotency_key is not None:
            headers[IDEMPOTENCY_KEY] = self.idempotency_key
        return headers


def from_headers(headers: dict[str, str] | None) -> Context:
    """The context of a request that came over the bus, its token not verified yet."""
    headers = headers or {}
    token = headers.get(TOKEN)
    return Context(
        request_id=headers.get(REQUEST_ID) or str(uuid4()),
        traceparent=headers.get(TRACEPARENT) or new_traceparent(),
        deadline=_deadline(headers.get(DEADLINE)),
        token=Secret(token) if token else None,
    )


def _deadline(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return time.time() + 30.0


def new_traceparent() -> str:
    """A W3C trace context that begins here."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
