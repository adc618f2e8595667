"""account while auth is away."""

import pytest

import identity
from basejump_common.contracts import account
from basejump_common.contracts.account import CreateClient
from basejump_common.errors import Unavailable
from identity import Caller
from installation import Installation, unique


async def test_without_auth_no_half_client_is_left(installation: Installation) -> None:
    name = unique("half")
    async with identity.people(installation) as house:
        operator = house.operator
    async with installation.running("account"), installation.bus("gateway") as bus:
        with pytest.raises(Unavailable):
            await Caller(bus, operator.token).call(account.CREATE_CLIENT, CreateClient(client_name=name))
    superuser = await installation.database()
    try:
        assert await superuser.fetchval("select count(*) from account.client where client_name = $1", name) == 0
    finally:
        await superuser.close()
