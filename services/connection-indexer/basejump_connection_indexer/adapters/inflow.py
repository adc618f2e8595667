"""Bounds what comes in from a customer's database at a time, before a driver holds it in memory.

The drivers take a value as large as it comes, and keep several copies of it. So between a connection and its driver
stands a protocol that counts: while rows are fetched more than the bound cuts the connection off.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from basejump_connection_indexer.domain.session import TooMuchAtOnce


class Inflow:
    """Put before the driver's protocol by `put_before`; passes everything on."""

    def __init__(self, transport: Any, driver: Any) -> None:
        self._transport = transport
        self._driver = driver
        self._most: int | None = None
        self._came = 0
        self._cut_off = False

    @contextmanager
    def at_most(self, most: int) -> Iterator[None]:
        """Raises TooMuchAtOnce when more bytes come than that while the block lasts."""
        self._came, self._most = 0, most
        try:
            yield
        except Exception as error:
            # Whatever the driver makes of the end of its connection.
            if self._cut_off:
                raise TooMuchAtOnce(most) from error
            raise
        finally:
            self._most = None

    @contextmanager
    def only_within(self, most: int) -> Iterator[None]:
        """`at_most`, and nothing is taken from the connection after the block until the next one, or `let_in`: for a
        server that sends rows whether they are fetched or not."""
        self.let_in()
        try:
            with self.at_most(most):
                yield
        finally:
            if not self._transport.is_closing():
                self._transport.pause_reading()

    def let_in(self) -> None:
        """Take from the connection again."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _passes(self, count: int) -> bool:
        self._came += count
        if self._most is not None and self._came > self._most:
            self._cut_off = True
            self._transport.abort()
        return not self._cut_off

    def connection_lost(self, error: Exception | None) -> None:
        """As the transport calls it."""
        self._driver.connection_lost(error)

    def eof_received(self) -> Any:
        """As the transport calls it."""
        return self._driver.eof_received()

    def pause_writing(self) -> None:
        """As the transport calls it."""
        self._driver.pause_writing()

    def resume_writing(self) -> None:
        """As the transport calls it."""
        self._driver.resume_writing()


class _Received(Inflow, asyncio.Protocol):
    def data_received(self, data: bytes) -> None:
        if self._passes(len(data)):
            self._driver.data_received(data)


class _Buffered(Inflow, asyncio.BufferedProtocol):
    def get_buffer(self, sizehint: int) -> Any:
        return self._driver.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        if self._passes(nbytes):
            self._driver.buffer_updated(nbytes)


def put_before(transport: Any, driver: Any) -> Inflow:
    """`driver` is the protocol that the transport calls until now."""
    kind = _Buffered if isinstance(driver, asyncio.BufferedProtocol) else _Received
    inflow = kind(transport, driver)
    transport.set_protocol(inflow)
    return inflow
