"""What the gateway reads from the environment, BASEJUMP_<FIELD>."""

from datetime import date
from typing import Annotated

from msgspec import Meta

from basejump_common.settings import BusSettings


class Settings(BusSettings, frozen=True, kw_only=True):
    """The gateway has no tables, so no database."""

    host: Annotated[str, Meta(description="Address the API listens on; 0.0.0.0 for all.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="Port the API listens on; 0 picks a free one.", ge=0, le=65_535)] = 8000
    body_limit: Annotated[
        int, Meta(description="Largest request body in bytes; a message on NATS is at most 1 MiB.", ge=1, le=1_032_192)
    ] = 1_032_192
    default_wait: Annotated[
        int, Meta(description="Seconds that a question waits for its answer without `Prefer: wait`.", ge=0)
    ] = 120
    max_wait: Annotated[int, Meta(description="Most seconds that `Prefer: wait` may ask for.", ge=0)] = 1_200
    heartbeat_seconds: Annotated[
        float, Meta(description="Seconds of silence after which a stream sends a comment, so that it stays open.", gt=0)
    ] = 15.0
    streams_per_user: Annotated[
        int, Meta(description="Streams of chats that one user may have open at one gateway.", ge=1)
    ] = 100
    calls_per_minute: Annotated[
        int,
        Meta(
            description="Calls of one client in a minute, over all gateways, unless its operator says otherwise.", ge=1
        ),
    ] = 60_000
    calls_per_minute_per_key: Annotated[
        int, Meta(description="Calls with one credential (a session's tokens are one) in a minute, likewise.", ge=1)
    ] = 6_000
    calls_per_minute_per_address: Annotated[
        int,
        Meta(description="Calls without a good credential from one address (IPv6: /64) in a minute, likewise.", ge=1),
    ] = 1_200
    trusted_proxies: Annotated[
        str, Meta(description="Networks, by commas, whose `X-Forwarded-For` is believed, e.g. 10.0.0.0/8.")
    ] = ""
    older_version_deprecated_on: Annotated[
        date | None, Meta(description="Since when the older of two API versions is deprecated, YYYY-MM-DD.")
    ] = None
    older_version_sunset_on: Annotated[date | None, Meta(description="When it may end, YYYY-MM-DD.")] = None
    older_version_documentation: Annotated[
        str, Meta(description="Address of the page that explains how to move to the newer one.")
    ] = ""
    drain_seconds: Annotated[
        int, Meta(description="Seconds that requests in flight may take to finish after SIGTERM.", ge=1)
    ] = 30
