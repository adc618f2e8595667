"""The embedded NATS: permissions as listed, streams that survive, and an end with its parent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig

from basejump_devstack.nats import EmbeddedNats, NatsUser

USERS = (
    NatsUser(
        name="shop",
        password='p"$\\ é',
        publish_allow=("orders.>",),
        subscribe_allow=("_INBOX.shop.>",),
    ),
    NatsUser(name="store", password="s", subscribe_allow=("orders.>",), allow_responses=True),
    NatsUser(name="nothing", password="n"),
)


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path_factory.mktemp("guarded"), users=USERS) as server:
        yield server


class Login:
    """A connection as one of the users, and what the server complained about."""

    def __init__(self, server: EmbeddedNats, name: str) -> None:
        self._server = server
        self._user = next(user for user in USERS if user.name == name)
        self._complaints: asyncio.Queue[str] = asyncio.Queue()

    async def __aenter__(self) -> "Login":
        self.client: Client = await nats.connect(
            self._server.url,
            user=self._user.name,
            password=self._user.password,
            inbox_prefix=f"_INBOX.{self._user.name}",
            error_cb=self._note,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def _note(self, error: Exception) -> None:
        self._complaints.put_nowait(str(error).lower())

    async def complaint(self) -> str:
        return await asyncio.wait_for(self._complaints.get(), timeout=5)


async def test_a_request_is_answered_by_a_user_that_may_publish_nothing_else(guarded: EmbeddedNats) -> None:
    async with Login(guarded, "shop") as shop, Login(guarded, "store") as store:
        orders = await store.client.subscribe("orders.new")
        await store.client.flush()
        asking = asyncio.create_task(shop.client.request("orders.new", b"?", timeout=5))
        order = await orders.next_msg(timeout=5)
        await order.respond(b"!")
        assert (await asking).data == b"!"
        await store.client.publish("orders.new", b"forged")
        assert "permissions violation for publish" in await store.complaint()


@pytest.mark.parametrize("name", ["shop", "nothing"])
async def test_what_is_not_listed_cannot_be_heard(guarded: EmbeddedNats, name: str) -> None:
    async with Login(guarded, name) as login:
        await login.client.subscribe("orders.>")
        assert "permissions violation for subscription" in await login.complaint()


async def test_an_empty_list_allows_nothing_rather_than_everything(guarded: EmbeddedNats) -> None:
    async with Login(guarded, "nothing") as login:
        await login.client.publish("anything", b"")
        assert "permissions violation for publish" in await login.complaint()


async def test_nobody_connects_without_a_password(guarded: EmbeddedNats) -> None:
    with pytest.raises(nats.errors.Error):
        await nats.connect(guarded.url, allow_reconnect=False)


async def test_the_configuration_with_its_passwords_is_closed_to_others(guarded: EmbeddedNats) -> None:
    assert (guarded.store_dir / "nats.conf").stat().st_mode & 0o077 == 0


async def test_streams_survive_a_stop_and_a_crash_on_the_same_port(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path) as server:
        port = server.port
        client = await nats.connect(server.url)
        stream = client.jetstream()
        await stream.add_stream(StreamConfig(name="KEPT", subjects=["kept.>"]))
        await stream.publish("kept.one", b"1")
        await client.close()
        await server.stop()
        await server.start()
        server.kill()
        await server.start()
        client = await nats.connect(server.url)
        assert (await client.jetstream().get_last_msg("KEPT", "kept.one")).data == b"1"
        await client.close()
        assert server.port == port
