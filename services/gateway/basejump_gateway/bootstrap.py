"""Composes the gateway, the only place that does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from basejump_common.runtime import Service, foundation
from basejump_gateway.app import application
from basejump_gateway.door import Door
from basejump_gateway.edge import Edge
from basejump_gateway.endpoints import Endpoints
from basejump_gateway.prompts import Prompts, Waits
from basejump_gateway.routes import ROUTES
from basejump_gateway.server import bind, listening
from basejump_gateway.settings import Settings


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Service]:
    """The gateway, listening; leaving the block drains it."""
    async with foundation(settings, "gateway") as base:
        prompts = Prompts(base.bus)
        waits = Waits(default=settings.default_wait, longest=settings.max_wait)
        endpoints = Endpoints(base.bus, Door(base.bus, base.verifier), prompts, waits, settings.body_limit)
        service = base.service()
        edge = Edge(application(endpoints, ROUTES, lambda: service.ready))
        listener = bind(settings.host, settings.port)
        async with listening(edge, listener, settings.drain_seconds, prompts.drain):
            yield service
