"""What auth keeps: uses written when it ends, and nothing of a tenant to be seen without one."""

import pytest

import identity
from basejump_common.contracts import auth
from basejump_common.contracts.common import PageRequest
from installation import Installation


async def test_the_last_use_of_a_secret_is_written_at_the_latest_when_auth_ends(installation: Installation) -> None:
    async with identity.people(installation) as house:
        tenant = await house.tenant()
        owner = await tenant.owner()
        assert (await owner.call(auth.LIST_SECRETS, PageRequest())).data[0].last_used is None
    async with identity.people(installation) as house:
        again = identity.Caller(house.bus, owner.token)
        (secret,) = (await again.call(auth.LIST_SECRETS, PageRequest())).data
    assert secret.last_used is not None
    assert secret.last_used > secret.created_at


@pytest.mark.parametrize("table", ["client_secret", "session"])
async def test_a_query_without_a_tenant_sees_nothing(installation: Installation, table: str) -> None:
    async with identity.people(installation) as house:
        await (await house.tenant()).owner()
    login, superuser = await installation.database("auth"), await installation.database()
    try:
        assert await superuser.fetchval(f"select count(*) from auth.{table}") > 0
        assert await login.fetchval(f"select count(*) from auth.{table}") == 0
    finally:
        await login.close()
        await superuser.close()
