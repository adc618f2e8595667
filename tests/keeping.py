"""Results that tests ask for: a member's office with a shop, everything behind it running, and REST before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from basejump_common.contracts import account
from basejump_common.contracts.account import CreateTeam, Membership
from basejump_common.contracts.connection import CreatedDatabase
from basejump_common.security.principal import UserRole
from connection_house import SHOP, Customer, Desk, Office, connected
from gateway_backend import bearer, client_of, running
from identity import Person
from installation import Installation, unique
from talking import talk_of


@dataclass(frozen=True)
class Kept:
    """A member's results, behind a gateway; their files are in `files`."""

    desk: Desk
    office: Office
    customer: Customer
    shop: CreatedDatabase
    url: str
    files: Path

    async def ask(self, question: str, **fields: Any) -> UUID:
        """The result of a question in a chat of its own."""
        final = await (await talk_of(self.office)).answer(question, **fields)
        assert final.result_uuid is not None, final
        return final.result_uuid

    async def send(self, method: str, path: str, body: Any = None, *, person: Person | None = None) -> httpx.Response:
        """By the office's member, or another person."""
        async with client_of(self.url) as api:
            headers = headers_of(person or self.office.member)
            return await api.request(method, f"/api/v1/result/{path}", json=body, headers=headers)

    async def good(self, method: str, path: str, body: Any = None, *, person: Person | None = None) -> dict[str, Any]:
        """What a call that succeeds answers."""
        response = await self.send(method, path, body, person=person)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def colleague(self) -> Person:
        """Another member of the office's team."""
        person = await self.office.tenant.person(UserRole.MEMBER)
        await self.join(person, self.office.team_uuid)
        return person

    async def team(self, *people: Person) -> UUID:
        """A new team of these people."""
        made = await self.office.admin.call(account.CREATE_TEAM, CreateTeam(team_name=unique("team")))
        for person in people:
            await self.join(person, made.team_uuid)
        return made.team_uuid

    async def join(self, person: Person, team_uuid: UUID) -> None:
        member = Membership(user_uuid=person.user_uuid, team_uuid=team_uuid)
        await self.office.admin.call(account.ADD_MEMBER, member)

    def newest_file(self) -> Path:
        return max(self.files.rglob("*.parquet"), key=lambda file: file.stat().st_mtime_ns)


@asynccontextmanager
async def keeping(installation: Installation, folder: Path, tables: str = SHOP, **settings: str) -> AsyncIterator[Kept]:
    """Everything runs until the block ends; `settings` are connection-indexer's."""
    files = folder / "results"
    async with (
        connected(installation, folder / "tls", results_url=files.as_uri(), **settings) as desk,
        installation.running("chat-agent"),
        running(installation) as url,
    ):
        office, customer = await desk.office(), await desk.customer(tables)
        shop = await office.add(desk.fields(customer))
        yield Kept(desk, office, customer, shop, url, files)


def headers_of(person: Person) -> dict[str, str]:
    assert person.token is not None
    return bearer(person.token.reveal())
