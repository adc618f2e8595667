"""Stored results while connection-indexer, which knows the grants, is away."""

import pytest

from basejump_common.contracts import result
from basejump_common.contracts.common import WidePageRequest
from basejump_common.contracts.result import ByResult
from basejump_common.errors import Unavailable
from connection_house import connected
from identity import Person, people
from installation import Installation
from talking import talk_of


async def test_while_nobody_knows_the_grants_no_result_is_shown(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("away")
    async with people(installation), installation.running("chat-agent"), installation.bus("gateway") as bus:
        async with connected(installation, folder / "tls", results_url=(folder / "results").as_uri()) as desk:
            office = await desk.office()
            await office.add(desk.fields(await desk.customer()))
            answered = await (await talk_of(office)).answer("How many customers are there?")
        member = Person(bus, office.member.token, office.member.user_uuid, office.member.refresh_token)
        assert answered.result_uuid is not None
        with pytest.raises(Unavailable):
            await member.call(result.GET_RESULT, ByResult(result_uuid=answered.result_uuid))
        with pytest.raises(Unavailable):
            await member.call(result.LIST_RESULTS, WidePageRequest())
