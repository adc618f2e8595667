"""The call that asks a question and waits for what comes of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from basejump_common.bus.permissions import OPERATOR
from basejump_common.contracts import chat
from basejump_common.security.principal import Role
from basejump_common.security.tokens import Signer
from gateway_backend import CLIENT, Asked, ask, bearer, client_of, message, problem_of, running, token
from installation import Installation
from sse import Reader, listening


async def test_the_call_waits_for_the_final_message(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked
) -> None:
    waiting = asyncio.create_task(ask(api, signer))
    asked = await chat_service.prompts.get()
    for kind in ("initial", "status", "thought"):
        await chat_service.says(asked, kind)
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await chat_service.says(asked, "response")
    response = await waiting
    assert response.status_code == 200
    assert response.json()["msg_type"] == "response"


async def test_an_answer_that_is_there_already_is_given(api: httpx.AsyncClient, signer: Signer) -> None:
    assert (await ask(api, signer, "known")).json()["msg_type"] == "response"


async def test_after_the_wait_the_initial_message_is_answered(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked
) -> None:
    waiting = asyncio.create_task(ask(api, signer, Prefer="respond-async, wait=1"))
    asked = await chat_service.prompts.get()
    await chat_service.says(asked, "status")
    started = time.perf_counter()
    response = await waiting
    assert response.json()["msg_type"] == "initial"
    assert 0.5 < time.perf_counter() - started < 2


async def test_a_final_message_that_was_missed_is_read_from_the_store(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basejump_gateway.prompts.LOOK_AGAIN_SECONDS", 0.1)
    waiting = asyncio.create_task(ask(api, signer))
    asked = await chat_service.prompts.get()
    assert asked.prompt_uuid is not None
    chat_service.stored[asked.prompt_uuid] = message(asked, "initial")
    await asyncio.sleep(0.3)
    assert not waiting.done()
    chat_service.stored[asked.prompt_uuid] = message(asked, "clarification")
    assert (await waiting).json()["msg_type"] == "clarification"


async def test_a_wrong_question_is_a_problem(api: httpx.AsyncClient, signer: Signer) -> None:
    problem_of(await ask(api, signer, ""), 422)


async def test_hanging_up_leaves_no_subscription_behind(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked, installation: Installation
) -> None:
    waiting = asyncio.create_task(ask(api, signer))
    asked = await chat_service.prompts.get()
    subject = chat.live_subject(CLIENT, asked.chat_uuid, asked.prompt_uuid or "")
    async with installation.bus(OPERATOR) as bus:
        with pytest.raises(NatsTimeout):  # somebody listens
            await bus.nats.request(subject, b'{"msg_uuid": "0", "msg_type": "x"}', timeout=0.1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(0.1)
        with pytest.raises(NoRespondersError):
            await bus.nats.request(subject, b"", timeout=0.1)


# -- as events ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def streamed(
    api: httpx.AsyncClient, signer: Signer, prompt: str = "how many?", seconds: float = 60
) -> AsyncIterator[Reader]:
    """Ask in some chat, as a member, for events."""
    headers = bearer(token(signer, Role.MEMBER, seconds=seconds), Accept="text/event-stream")
    url = f"/api/v1/chat/{uuid4()}/message/"
    async with listening(api, "POST", url, headers=headers, json={"prompt": prompt}) as reader:
        yield reader


async def test_events_come_as_they_are_said_and_end_with_the_final_message(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked
) -> None:
    async with streamed(api, signer) as reader:
        asked = await chat_service.prompts.get()
        assert (await reader.next()).json["msg_type"] == "initial"
        for kind in ("initial", "status", "thought"):
            await chat_service.says(asked, kind)
        assert [(await reader.next()).json["msg_type"] for _ in range(2)] == ["status", "thought"]
        assert not reader.whole
        await chat_service.says(asked, "clarification")
        await chat_service.says(asked, "status")
        (final,) = await reader.rest()
    assert final.json["msg_type"] == "clarification"
    assert int(final.last_id) > 0


async def test_an_answer_that_is_there_already_is_the_only_event(api: httpx.AsyncClient, signer: Signer) -> None:
    async with streamed(api, signer, "known") as reader:
        assert [event.json["msg_type"] for event in await reader.rest()] == ["response"]


async def test_a_final_message_that_was_missed_ends_the_events_too(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basejump_gateway.prompts.LOOK_AGAIN_SECONDS", 0.1)
    async with streamed(api, signer) as reader:
        asked = await chat_service.prompts.get()
        assert asked.prompt_uuid is not None
        chat_service.stored[asked.prompt_uuid] = message(asked, "error")
        assert [event.json["msg_type"] for event in await reader.rest()] == ["initial", "error"]


async def test_events_end_with_the_token_and_say_so(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked
) -> None:
    async with streamed(api, signer, seconds=2) as reader:
        await chat_service.prompts.get()
        heard = await reader.rest()
    assert [event.name for event in heard] == ["message", "end"]
    assert heard[-1].json["reason"] == "token_expired"


async def test_events_end_with_the_gateway_and_say_so(
    installation: Installation, signer: Signer, chat_service: Asked
) -> None:
    async with AsyncExitStack() as clients:
        async with running(installation) as url:
            api = await clients.enter_async_context(client_of(url))
            readers = [await clients.enter_async_context(streamed(api, signer)) for _ in range(10)]
            for reader in readers:
                await chat_service.prompts.get()
                await reader.next()
        for reader in readers:
            (end,) = await reader.rest()
            assert (end.name, end.json["reason"]) == ("end", "draining")


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("text/event-stream", True),
        ("TEXT/Event-Stream; charset=utf-8", True),
        ("application/json, text/event-stream;q=0.1", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream; q=0.0", False),
        ("*/*", False),
        ("text/*", False),
    ],
)
async def test_events_are_for_those_who_name_them(
    api: httpx.AsyncClient, signer: Signer, accept: str, is_stream: bool
) -> None:
    response = await ask(api, signer, "known", Accept=accept)
    assert response.headers["content-type"].startswith("text/event-stream" if is_stream else "application/json")
