"""Other services while account is away."""

from uuid import uuid4

import pytest

import identity
from basejump_common.bus import Context
from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.errors import Unavailable
from installation import Installation


async def test_while_account_is_away_what_was_known_holds_for_a_while_and_nothing_is_made_up(
    installation: Installation,
) -> None:
    async with installation.bus("chat-agent") as bus:
        reader, strict = SettingsOfClients(bus, seconds=0), SettingsOfClients(bus, seconds=0, stale_seconds=0)
        async with identity.people(installation) as opened:
            client_uuid = (await opened.tenant()).client_uuid
            known = [await one.choices(client_uuid, Context.new()) for one in (reader, strict)]
        assert await reader.choices(client_uuid, Context.new()) == known[0]
        with pytest.raises(Unavailable):
            await strict.choices(client_uuid, Context.new())
        with pytest.raises(Unavailable):
            await reader.choices(uuid4(), Context.new())
