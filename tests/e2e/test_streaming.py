"""What a question says, on every way that it is told: the reply, its stream, the chat's stream and a webhook."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from py_mini_racer import MiniRacer
from standardwebhooks import Webhook

from documents import the
from receiver import Receiver
from rest import Api, Tenant, as_user, first_owner
from sse import listening

HOW_MANY = "How many employees are there?"


@dataclass(frozen=True)
class Talk:
    """A chat of the tenant's ADMIN, over a client that streams."""

    client: httpx.AsyncClient
    headers: dict[str, str]
    chat_uuid: str

    async def post(self, what: str, **arguments: Any) -> httpx.Response:
        headers = self.headers | arguments.pop("headers", {})
        return await self.client.post(f"/chat/{self.chat_uuid}/{what}/", headers=headers, **arguments)

    @property
    def stream(self) -> str:
        return f"/chat/{self.chat_uuid}/stream/"


@pytest.fixture
async def talk(tenant: Tenant, stack: dict[str, str]) -> AsyncIterator[Talk]:
    chat = tenant.user.post(f"/chat/team/{tenant.objects['team_uuid']}/")
    async with httpx.AsyncClient(base_url=stack["BASE_URL"], timeout=30) as client:
        yield Talk(client, tenant.user.headers, chat["chat_uuid"])


async def test_the_final_message_is_the_same_byte_for_byte_in_reply_stream_and_webhook(
    talk: Talk, api: Api, stack: dict[str, str], tmp_path: Path
) -> None:
    secret = first_owner(api, stack).post("/account/client/webhook-secret/")["webhook_secret"]
    async with (
        Receiver.open(tmp_path, tls=False) as receiver,
        listening(talk.client, "GET", talk.stream, headers=talk.headers) as reader,
    ):
        asked = {"prompt": HOW_MANY, "webhook_url": receiver.url, "webhook_headers": {"X-Mine": "yes"}}
        reply = await talk.post("message", json=asked)
        assert reply.json()["msg_type"] == "response", reply.text
        heard = [await reader.next() for _ in range(4)]
        assert [event.json["msg_type"] for event in heard] == ["initial", "thought", "status", "response"]
        received = await receiver.next()
    assert heard[-1].data.encode() == reply.content == received.body
    assert Webhook(secret).verify(received.body, received.headers) == reply.json()
    assert received.headers["x-mine"] == "yes"
    stored = await talk.client.get(f"/chat/message/{reply.json()['msg_uuid']}/", headers=talk.headers)
    assert stored.content == reply.content


async def test_a_questions_own_stream_shows_the_sql_when_asked_to_and_ends_with_the_answer(talk: Talk) -> None:
    headers = talk.headers | {"Accept": "text/event-stream"}
    asked = {"prompt": HOW_MANY, "return_sql_in_thoughts": True}
    url = f"/chat/{talk.chat_uuid}/message/"
    async with listening(talk.client, "POST", url, headers=headers, json=asked) as reader:
        events = await reader.rest(20)
    assert [event.json["msg_type"] for event in events] == ["initial", "thought", "status", "response"]
    assert "count" in events[1].json["sql_query"].lower()
    assert "107" in events[-1].json["content"]
    places = [int(event.last_id) for event in events[1:]]
    assert places == sorted(set(places))
    async with listening(
        talk.client, "GET", talk.stream, headers=talk.headers | {"Last-Event-ID": events[1].last_id}
    ) as reader:
        assert [await reader.next() for _ in range(2)] == events[2:]


async def test_a_browser_follows_with_a_ticket(talk: Talk) -> None:
    ticket = (await talk.post("stream-ticket")).json()["ticket"]
    async with listening(talk.client, "GET", talk.stream, params={"ticket": ticket}) as reader:
        reply = await talk.post("message", json={"prompt": HOW_MANY})
        heard = [await reader.next() for _ in range(4)]
    assert heard[-1].data.encode() == reply.content
    assert (await talk.client.get(talk.stream, params={"ticket": ticket})).status_code == 401


PAGE = """
const shown = [], asked = [], streams = [], later = [], chat = CHAT, BASE_URL = "";
const show = (message) => shown.push(message);
globalThis.setTimeout = (tell) => later.push(tell);
const fetch = (url) => new Promise((tell) => asked.push((ticket) => tell({json: () => ({ticket})})));
class EventSource {
  constructor(url) { Object.assign(this, {url, told: {}, closed: false}); streams.push(this); }
  addEventListener(name, tell) { this.told[name] = tell; }
  close() { this.closed = true; }
  hear(name, data, lastEventId) { name ? this.told[name]({data}) : this.onmessage({data, lastEventId}); }
}
"""


async def test_a_page_follows_as_documented(talk: Talk) -> None:
    """The document's JavaScript in an engine whose EventSource and fetch are this test."""
    code = the("docs/streaming.md", "js")
    with MiniRacer() as engine:  # (one that isn't closed keeps the process from ending)
        engine.eval(f"const CHAT = {json.dumps(talk.chat_uuid)};{PAGE}{code}; open(); 0")
        async with listening(talk.client, "GET", await opened_by_page(engine, talk)) as reader:
            reply = await talk.post("message", json={"prompt": HOW_MANY})
            for heard in [await reader.next() for _ in range(4)]:
                engine.eval(f"streams[0].hear('', {json.dumps(heard.data)}, {json.dumps(heard.last_id)})")
        assert json.loads(str(engine.eval("JSON.stringify(shown.at(-1))"))) == reply.json()
        engine.eval("streams[0].hear('end', '{\"reason\":\"draining\"}'); later.shift()(); 0")
        again = await opened_by_page(engine, talk)
        assert again.endswith(f"&last_event_id={heard.last_id}")
        assert engine.eval("streams[0].closed && !streams[1].closed")
        async with listening(talk.client, "GET", again) as reader:
            await talk.post("message", json={"prompt": HOW_MANY}, headers={"Prefer": "wait=0"})
            assert (await reader.next()).json["msg_type"] == "initial"
        engine.eval("streams[1].hear('end', '{\"reason\":\"chat_deleted\"}'); 0")
        assert engine.eval("streams[1].closed && later.length === 0")


async def opened_by_page(engine: MiniRacer, talk: Talk) -> str:
    """Give the page the ticket that it asks for; where it goes with it."""
    ticket = (await talk.post("stream-ticket")).json()["ticket"]
    engine.eval(f"asked.shift()({json.dumps(ticket)}); 0")
    async with asyncio.timeout(5):
        while not (url := engine.eval("streams.filter(({closed}) => !closed).at(-1)?.url ?? ''")):  # noqa: ASYNC110 - the engine's thread
            await asyncio.sleep(0.01)
    return str(url)


async def test_a_users_streams_close_soon_after_the_user_is_deleted(
    tenant: Tenant, talk: Talk, stack: dict[str, str]
) -> None:
    gone = tenant.secret.post("/account/user/", params={"username": "gone", "role": "ADMIN"})["user_uuid"]
    theirs = as_user(tenant.secret, gone)
    async with listening(talk.client, "GET", talk.stream, headers=theirs.headers) as reader:
        started = time.monotonic()
        first_owner(Api(tenant.secret.client), stack).delete(f"/account/user/{gone}/")
        (end,) = await reader.rest(5)
        assert time.monotonic() - started < 5
    assert (end.name, end.json["reason"]) == ("end", "revoked")
