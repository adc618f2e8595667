"""Composes the gateway, the only place that does."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager

import httpcore

from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.contracts.account import CLIENT_UPDATED
from basejump_common.contracts.calls import counter_subject
from basejump_common.runtime import Base, Service, foundation
from basejump_gateway.address import Proxies
from basejump_gateway.allowance import Allowances
from basejump_gateway.app import application
from basejump_gateway.door import Door
from basejump_gateway.downloads import Downloads
from basejump_gateway.edge import Edge
from basejump_gateway.endpoints import Answers, Endpoints
from basejump_gateway.feed import ChatFeed
from basejump_gateway.limits import ChoicesOfClients, Limits, Rates
from basejump_gateway.origins import Origins
from basejump_gateway.prompts import Prompts, Waits
from basejump_gateway.server import bind, listening
from basejump_gateway.settings import Settings
from basejump_gateway.streaming import Streaming
from basejump_gateway.versions import VERSIONS, Retirement, Served, Version


@asynccontextmanager
async def bootstrap(settings: Settings, versions: Sequence[Version] = VERSIONS) -> AsyncIterator[Service]:
    """The gateway, listening; leaving the block drains it. Tests of the mechanism give other `versions`."""
    async with foundation(settings, "gateway") as base, httpcore.AsyncConnectionPool(max_connections=None) as sources:
        feed = ChatFeed(base.bus)
        prompts = Prompts(base.bus, feed)
        streaming = Streaming(
            base.bus,
            feed,
            prompts,
            base.verifier,
            heartbeat=settings.heartbeat_seconds,
            per_user=settings.streams_per_user,
        )
        waits = Waits(default=settings.default_wait, longest=settings.max_wait)
        door = _door(base, settings)
        # As many connections as there are downloads: their number is bounded where the rows are.
        answers = Answers(prompts, streaming, Downloads(base.bus, sources))
        endpoints = Endpoints(base.bus, door, answers, waits, settings.body_limit)
        service = base.service()
        edge = Edge(
            application(endpoints, _served(settings, versions), lambda: service.ready),
            Proxies.from_text(settings.trusted_proxies),
        )
        listener = bind(settings.host, settings.port)
        async with (
            base.bus.hearing(CLIENT_UPDATED.subject(), door.client_changed),
            listening(edge, listener, settings.drain_seconds, feed.drain),
        ):
            yield service


def _served(settings: Settings, versions: Sequence[Version]) -> Served:
    retirement = Retirement(
        deprecated_on=settings.older_version_deprecated_on,
        sunset_on=settings.older_version_sunset_on,
        documentation=settings.older_version_documentation,
    )
    return Served(versions, retirement)


def _door(base: Base, settings: Settings) -> Door:
    def count(name: str, window: int, more: int) -> Awaitable[int]:
        return base.bus.count(counter_subject(name, window), more)

    rates = Rates(
        per_client=settings.calls_per_minute,
        per_key=settings.calls_per_minute_per_key,
        per_address=settings.calls_per_minute_per_address,
    )
    choices = ChoicesOfClients(SettingsOfClients(base.bus))
    return Door(base.bus, base.verifier, Limits(Allowances(count), rates), Origins(base.bus), choices)
