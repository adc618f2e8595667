"""The call that asks a question and waits for what comes of it."""

import asyncio
import time

import httpx
import pytest
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from basejump_common.bus.permissions import OPERATOR
from basejump_common.contracts import chat
from basejump_common.security.tokens import Signer
from gateway_backend import CLIENT, Asked, ask, message, problem_of
from installation import Installation


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
