"""An organisation whose language model attacks: its member, its database, its neighbour, and all that can be looked at.

Everything is called as a REST client calls it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

import watching
from basejump_common.contracts.account import CreatedClient
from basejump_devstack.model_server import ModelServer
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.tls_front import TlsFront
from cluster import Cluster
from connection_house import READER_PASSWORD, Customer, new_customer
from customers import MariadbCustomers
from hostile_planner import SUM, Question
from mariadb import MariaDB
from receiver import Receiver
from rest import Api, Tenant, as_user, wait_indexed
from victims import MariaDBVictim, PostgresVictim, Victim

FINAL = {"response", "error", "clarification"}


@dataclass(frozen=True)
class Site:
    """A customer's database with a victim in it, what connects it, and what stands before the names of its tables."""

    victim: Victim
    body: dict[str, Any]
    at: str
    reviews: list[str] = field(default_factory=list)

    async def store(self, reviews: Iterable[str]) -> None:
        """Rows of a table that the organisation may read."""
        self.reviews.extend(reviews)
        values = ", ".join(f"({number}, '{_quoted(text)}')" for number, text in enumerate(self.reviews))
        await self.victim.customer.execute(
            f"create table {self.at}review (id int primary key, body text);"
            f"insert into {self.at}review values {values};"
            f"grant select on {self.at}review to {self.victim.customer.reader}"
        )


def _quoted(text: str) -> str:
    return text.replace("'", "''")


async def postgres_site(server: EmbeddedPostgres, front: TlsFront, folder: Path) -> Site:
    """In a PostgreSQL; `folder` as in `PostgresVictim`."""
    customer = await new_customer(server)
    victim = await PostgresVictim.make(customer, server, folder)
    return Site(victim, body(front, customer), "shop.")


async def mariadb_site(server: MariaDB, folder: Path) -> Site:
    """In a MariaDB."""
    customer = await MariadbCustomers(server).customer()
    victim = await MariaDBVictim.make(customer, folder)
    at = {"database_type": "mariadb", "host": server.host, "port": server.port}
    return Site(victim, at | _login(customer.name, customer.reader, customer.password), "")


def body(front: TlsFront, customer: Customer) -> dict[str, Any]:
    """What connects a customer's PostgreSQL database."""
    at = {"database_type": "postgres", "host": front.host, "port": front.port, "schemas": [{"schema_nm": "shop"}]}
    return at | _login(customer.name, customer.reader, READER_PASSWORD)


def _login(name: str, reader: str, password: str) -> dict[str, Any]:
    return {"database_name": name, "username": reader, "password": password, "ssl_mode": "require"}


@dataclass
class Person:
    """An ordinary member, and all that was said to them."""

    client: httpx.AsyncClient
    team_uuid: str
    hook: str
    said: list[str] = field(default_factory=list)

    async def ask(self, prompt: str, *, visual: bool) -> dict[str, Any]:
        """The final message: the only one, and the one that the chat, which is new, keeps."""
        chat = (await self.client.post(f"/chat/team/{self.team_uuid}/")).json()["chat_uuid"]
        asked = {"prompt": prompt, "webhook_url": self.hook, "return_visual_json": visual}
        told = await self._stream(f"/chat/{chat}/message/", asked | {"return_sql_in_thoughts": True})
        (final,) = (message for message in told if message["msg_type"] in FINAL)
        assert (await self.read(f"/chat/{chat}/message/"))["data"] == [final]
        return final

    async def read(self, path: str) -> Any:
        """A GET that must answer 200; its JSON."""
        return self._heard(await self.client.get(path)).json()

    async def _stream(self, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self.client.post(path, json=asked, headers={"Accept": "text/event-stream"})
        lines = self._heard(answer).text.splitlines()
        return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]

    def _heard(self, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code == 200, answer.text
        self.said.append(answer.text)
        return answer


def connect(tenant: Tenant, body: Mapping[str, Any]) -> str:
    """Add a database, granted to the tenant's team; its db_uuid, once it is indexed."""
    made = tenant.user.post("/connection/database/", json=body)
    tenant.user.post(f"/connection/{made['conn_uuid']}/team/", json={"team_uuids": [tenant.objects["team_uuid"]]})
    wait_indexed(tenant.user, made["db_uuid"])
    return str(made["db_uuid"])


def ignore_what_is_hidden(admin: Api, db_uuid: str) -> None:
    tables = {t["table_name"]: t["tbl_uuid"] for t in admin.get(f"/connection/database/{db_uuid}/table/")["data"]}
    admin.put(f"/connection/table/{tables['hidden']}/", json={"ignore": True})
    columns = [{"column_name": "wage_note", "ignore": True}]
    admin.put(f"/connection/table/{tables['staff']}/column/", json={"columns": columns})


def neighbour(api: Api, client: CreatedClient, body: Mapping[str, Any]) -> list[str]:
    """Somebody else's answer, with a figure that is nobody else's: uuids of its result, message, chat and prompt."""
    tenant = Tenant.enter(api, client.client_secret.reveal())
    connect(tenant, body)
    answer = tenant.ask("sum it up")
    assert str(SUM) in json.dumps(tenant.user.get(f"/result/{answer['result_uuid']}/"))
    return [answer[name] for name in ("result_uuid", "msg_uuid", "chat_uuid", "prompt_uuid")]


def settle(api: Api, client: CreatedClient, body: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """An organisation with the attacked database: its team, and the headers of an ordinary member of it."""
    tenant = Tenant.enter(api, client.client_secret.reveal())
    as_user(tenant.secret, str(client.owner_user_uuid)).post("/account/client/webhook-secret/")
    ignore_what_is_hidden(tenant.user, connect(tenant, body))
    member = tenant.secret.post("/account/user/", params={"username": "member", "role": "MEMBER"})["user_uuid"]
    tenant.user.post(f"/account/user/{member}/team/{tenant.objects['team_uuid']}/")
    return tenant.objects["team_uuid"], as_user(tenant.secret, member).headers


@dataclass
class House:
    """The member's organisation, and everything around it. `foreign`: uuids of a neighbour's; `secrets`: texts that
    nobody may see; `requests`: what reached the model."""

    cluster: Cluster
    server: ModelServer
    receiver: Receiver
    site: Site
    person: Person
    foreign: list[str]
    secrets: set[str]
    requests: list[str] = field(default_factory=list)

    async def ask(self, question: Question) -> dict[str, Any]:
        """The final message of the answer."""
        before = self.server.log.total
        final = await self.person.ask(question.prompt, visual=question.visual)
        fresh = self.server.log.total - before
        self.requests += [served.body for served in list(self.server.log.requests)[-fresh:] if fresh]
        return final

    def told(self) -> dict[str, str]:
        """What the model was told about each of its statements."""
        told: dict[str, str] = {}
        for sent in self.requests:
            messages = json.loads(sent)["messages"]
            replies = {message["tool_call_id"]: message["content"] for message in messages if message["role"] == "tool"}
            calls = (call for message in messages for call in message.get("tool_calls") or ())
            told |= {
                json.loads(call["function"]["arguments"])["sql"]: replies[call["id"]]
                for call in calls
                if call["function"]["name"] == "run_sql"
            }
        return told

    async def surfaces(self) -> dict[str, str]:
        """All that was said, sent, kept and logged, by where."""
        for result in (await self.person.read("/result/"))["data"]:
            await self.person.read(f"/result/{result['result_uuid']}/")
        around = self.cluster.installation.around
        database = await self.cluster.installation.database()
        try:
            rows = await watching.rows(database)
        finally:
            await database.close()
        return {
            "replies": "\n".join(self.person.said),
            "webhooks": "\n".join(received.body.decode() for received in self.receiver.requests),
            "model": "\n".join(self.requests),
            "rows": rows,
            "streams": watching.files(around.nats.store_dir / "jetstream"),
            "stored results": watching.results(self.cluster.log.parent),
            "log": self.cluster.log.read_text(),
        }

    def memory(self) -> dict[int, float]:
        """Megabytes of each service's process, all of which must be alive."""
        replicas = [replica for some in self.cluster.replicas.values() for replica in some]
        assert all(replica.process.returncode is None for replica in replicas)
        return {replica.process.pid: watching.memory(replica.process.pid) for replica in replicas}
