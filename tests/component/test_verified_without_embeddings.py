"""Verified questions while no embeddings model is set, or its provider is away: told by their words alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from basejump_chat_agent.adapters.embeddings import Embeddings
from basejump_chat_agent.settings import Settings
from basejump_common.contracts.chat import MessageType
from basejump_common.settings import parse
from basejump_devstack import services
from basejump_devstack.model_server import ModelServer
from clientele import CLIENTELE, SCRIPT, embedded, model_settings
from identity import within
from installation import Installation
from model_clients import script
from verified_house import HOW_MANY, OTHER_WORDS, desk_of, house_of


async def test_without_the_setting_nothing_goes_to_a_provider_and_words_still_find(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with (
        ModelServer(script(SCRIPT)) as server,
        desk_of(installation, tmp_path_factory.mktemp("without"), **model_settings(server.openai_url)) as desk,
    ):
        house = await house_of(desk, installation)
        await house.verified(HOW_MANY)
        before = server.log.total
        assert (await house.ask(OTHER_WORDS)).verified
        assert not (await house.ask(CLIENTELE)).verified
        assert not embedded(server, before)


def embeddings_at(url: str, seconds: str, installation: Installation) -> Embeddings:
    environment = services.settings("chat-agent", installation.around) | {
        "BASEJUMP_EMBEDDINGS": "openai:scripted",
        "BASEJUMP_EMBEDDINGS_SECONDS": seconds,
        "BASEJUMP_OPENAI_BASE_URL": url,
        "BASEJUMP_OPENAI_API_KEY": "any",
    }
    return Embeddings(parse(Settings, environment))


class Silent:
    """A provider that accepts connections and never answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        try:
            await reader.read()
        finally:
            writer.close()


@pytest.fixture
async def silent() -> AsyncIterator[tuple[str, Silent]]:
    provider = Silent()
    listener = await asyncio.start_server(provider.hold, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1", provider
    listener.close()


async def test_nobody_waits_for_a_silent_provider_longer_than_the_setting_and_then_it_rests(
    installation: Installation, silent: tuple[str, Silent]
) -> None:
    url, provider = silent
    embeddings = embeddings_at(url, "0.2", installation)
    await embeddings.warm_up()
    async with asyncio.timeout(10):
        assert await embeddings.vectors([HOW_MANY]) is None
    assert provider.asked == 1
    assert await embeddings.vectors([HOW_MANY]) is None
    assert provider.asked == 1, "it isn't asked again for a while"


async def test_a_question_is_answered_while_the_provider_is_away(
    installation: Installation, silent: tuple[str, Silent], tmp_path_factory: pytest.TempPathFactory
) -> None:
    url, provider = silent
    settings = {
        "embeddings": "openai:scripted",
        "embeddings_seconds": "0.2",
        "openai_base_url": url,
        "openai_api_key": "any",
    }
    async with desk_of(installation, tmp_path_factory.mktemp("away"), **settings) as desk:
        house = await house_of(desk, installation)
        await house.verified(HOW_MANY)

        async def asked() -> bool:
            final = await house.ask("List all customers")
            assert final.msg_type is MessageType.RESPONSE
            return provider.asked > 0

        assert await within(60, asked)
        assert (await house.ask(OTHER_WORDS)).verified, "told by its words"
