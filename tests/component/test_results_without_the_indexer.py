"""Stored results while connection-indexer, which knows the grants, is away."""

from pathlib import Path

import pytest

from basejump_common.contracts import result
from basejump_common.contracts.result import ByResult
from basejump_common.errors import Unavailable
from connection_house import connected
from identity import Person, people, within
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
            await member.call(result.LIST_RESULTS, result.ListResults())


async def test_a_result_is_deleted_meanwhile_and_its_rows_are_forgotten_later(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("later")
    kept = (folder / "results").as_uri()
    tables = await installation.database()
    async with people(installation), installation.running("chat-agent"), installation.bus("gateway") as bus:
        async with connected(installation, folder / "tls", results_url=kept) as desk:
            office = await desk.office()
            await office.add(desk.fields(await desk.customer()))
            answered = await (await talk_of(office)).answer("How many customers are there?")
        member = Person(bus, office.member.token, office.member.user_uuid, office.member.refresh_token)
        assert answered.result_uuid is not None
        await member.call(result.DELETE_RESULT, ByResult(result_uuid=answered.result_uuid))
        waiting = "from chat_agent.job where kind = 'forget' and client_uuid = $1 and state = 'queued'"
        later = f"select count(*) {waiting} and run_after > now() + interval '4 minutes'"

        async def put_off() -> bool:
            return bool(await tables.fetchval(later, office.tenant.client_uuid))

        def files() -> list[Path]:
            return list(folder.rglob("*.parquet"))

        assert await within(10, put_off)
        assert len(files()) == 1
        async with connected(installation, folder / "tls", results_url=kept):
            job = f"update chat_agent.job set run_after = now() where job_uuid in (select job_uuid {waiting})"
            await tables.execute(job, office.tenant.client_uuid)

            async def forgotten() -> bool:
                return not files()

            assert await within(10, forgotten)
    await tables.close()
