"""Operator policy, as a running service applies it: in a module of its own, since replicas share the work."""

from pathlib import Path

import pytest

from basejump_common.contracts import connection
from basejump_common.errors import HostForbidden
from connection_house import connected
from installation import Installation

HOSTS = ("127.0.0.1", "localhost", "10.0.0.1", "::1", "::ffff:127.0.0.1", "0x7f.1", "2130706433", "64:ff9b::7f00:1")


async def test_private_addresses_are_forbidden_however_they_are_written(
    installation: Installation, tmp_path: Path
) -> None:
    settings = {"allow_private_hosts": "false", "results_url": tmp_path.as_uri()}
    async with connected(installation, tmp_path / "tls", **settings) as desk:
        office, customer = await desk.office(), await desk.customer()
        for host in HOSTS:
            with pytest.raises(HostForbidden):
                await office.admin.call(connection.CREATE_DATABASE, desk.fields(customer, host=host))
            with pytest.raises(HostForbidden):
                await office.admin.call(connection.TEST_DATABASE, desk.fields(customer, host=host))
