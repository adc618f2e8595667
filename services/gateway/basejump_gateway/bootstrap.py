"""Composes the gateway, the only place that does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from basejump_common.runtime import Service, foundation
from basejump_gateway.app import application
from basejump_gateway.door import Door
from basejump_gateway.edge import Edge
from basejump_gateway.endpoints import Endpoints
from basejump_gateway.feed import ChatFeed
from basejump_gateway.prompts import Prompts, Waits
from basejump_gateway.routes import ROUTES
from basejump_gateway.server import bind, listening
from basejump_gateway.settings import Settings
from basejump_gateway.streaming import Streaming


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Service]:
    """The gateway, listening; leaving the block drains it."""
    async with foundation(settings, "gateway") as base:
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
        door = Door(base.bus, base.verifier)
        endpoints = Endpoints(base.bus, door, prompts, streaming, waits, settings.body_limit)
        service = base.service()
        edge = Edge(application(endpoints, ROUTES, lambda: service.ready))
        listener = bind(settings.host, settings.port)
        async with listening(edge, listener, settings.drain_seconds, feed.drain):
            yield service
