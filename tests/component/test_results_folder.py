"""A local folder of results serves one replica; more refuse to start with it."""

import asyncio
import sys
from pathlib import Path

import pytest

from basejump_common.settings import SettingsError
from basejump_connection_indexer.adapters.folder_lock import used_alone
from basejump_devstack import services
from installation import Installation


def test_a_folder_is_held_by_one_and_free_again_after_it(tmp_path: Path) -> None:
    url = (tmp_path / "a folder").as_uri()
    with used_alone(url):
        with pytest.raises(SettingsError, match="serves one replica"), used_alone(url):
            pytest.fail("two hold it")
        with used_alone((tmp_path / "another").as_uri()):
            pass
    with used_alone(url):
        pass


def test_an_object_store_serves_any_number() -> None:
    with used_alone("s3://results"), used_alone("s3://results"):
        pass


async def test_a_second_replica_with_the_folder_says_why_it_does_not_start(
    installation: Installation, tmp_path: Path
) -> None:
    environment = services.settings("connection-indexer", installation.around)
    environment |= {"BASEJUMP_RESULTS_URL": tmp_path.as_uri(), "BASEJUMP_HEALTH_PORT": "0"}
    with used_alone(tmp_path.as_uri()):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            services.module("connection-indexer"),
            env=environment,
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(60):
            _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().splitlines()[-1].startswith("BASEJUMP_RESULTS_URL: another replica keeps its results in")
    assert "Traceback" not in said.decode()
