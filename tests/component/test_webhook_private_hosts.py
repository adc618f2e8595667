"""Webhooks as an operator gets them by default: to public addresses over https, and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from basejump_common.bus import Bus
from basejump_common.contracts.webhook import DeliveryState
from basejump_common.errors import HostForbidden, InvalidInput
from basejump_common.security.tokens import Signer
from basejump_common.storage.database import Database
from basejump_devstack import services
from chatting import new_signer
from installation import Installation
from receiver import Receiver
from webhooking import Shop


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with Receiver.open(tmp_path) as opened:
        yield opened


@pytest.fixture
async def shop(installation: Installation, receiver: Receiver) -> AsyncIterator[Shop]:
    signer: Signer = await new_signer(installation)
    settings = {
        "patience_seconds": "0",
        "webhook_ca_file": str(receiver.authority),
        "webhook_private_hosts": "false",
        "webhook_plain_http": "false",
        "webhook_give_up_seconds": "0",
    }
    dsn = services.settings("chat-agent", installation.around)["BASEJUMP_DATABASE_DSN"]
    database = await Database.connect(dsn, schema="chat_agent", application_name="test")
    bus: Bus
    async with installation.running("chat-agent", **settings), installation.bus("gateway") as bus:
        yield await Shop.open(bus, database, signer)
    await database.close()


async def test_private_addresses_are_refused_by_number_at_once_and_by_name_when_they_are_resolved(
    shop: Shop, receiver: Receiver
) -> None:
    for host in ("127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254"):
        with pytest.raises(HostForbidden, match="webhook_url"):
            await shop.ask(f"https://{host}:{receiver.port}/")
    with pytest.raises(InvalidInput, match="https"):
        await shop.ask("http://example.com/")
    for name in ("localhost", "2130706433", "0x7f000001", "127.1"):
        await shop.ask(f"https://{name}:{receiver.port}/")
        failed = await shop.delivery(DeliveryState.FAILED)
        assert failed.last_error == "the operator's policy forbids its address", name
    assert receiver.requests == []
