"""A client with a database whose answers are verified: who may ask, and what they are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from basejump_common.contracts import account, connection, result
from basejump_common.contracts.account import CreateTeam, Membership
from basejump_common.contracts.chat import Message, MessageType
from basejump_common.contracts.client_settings import UpdateVerifyMode, VerifyMode
from basejump_common.contracts.connection import CreatedDatabase, GrantTeams
from basejump_common.contracts.result import ByResult, Result, UpdateResult
from basejump_common.security.principal import UserRole
from connection_house import SHOP, Customer, Desk, Office, connected
from identity import Person, within
from installation import Installation, unique
from talking import Talk, talk_of

HOW_MANY, OTHER_WORDS = "How many customers are there?", "Count the number of clients."
IN_BERGEN, IN_HAMAR = "How many customers live in Bergen?", "How many clients live in Hamar?"


@dataclass(frozen=True)
class House:
    """A client with a database that its team may ask."""

    desk: Desk
    office: Office
    customer: Customer
    shop: CreatedDatabase
    installation: Installation

    async def verified(self, question: str, person: Person | None = None) -> Message:
        """An answer that the person who asked (by default the member) has verified."""
        final = await (await self.talk(person)).answer(question)
        assert not final.verified
        assert final.can_verify
        await self.verify(final, person)
        return final

    async def talk(self, person: Person | None = None, team_uuid: UUID | None = None) -> Talk:
        office = self.office
        return await talk_of(
            Office(office.tenant, office.admin, person or office.member, team_uuid or office.team_uuid, office.agent)
        )

    async def ask(self, question: str, person: Person | None = None, team_uuid: UUID | None = None) -> Message:
        """In a chat of its own."""
        return await (await self.talk(person, team_uuid)).answer(question)

    async def verify(self, message: Message, person: Person | None = None, *, verified: bool = True) -> Result:
        assert message.result_uuid is not None
        request = UpdateResult(result_uuid=message.result_uuid, verified=verified)
        return await (person or self.office.member).call(result.UPDATE_RESULT, request)

    async def is_verified(self, message: Message) -> bool:
        assert message.result_uuid is not None
        return (await self.office.admin.call(result.GET_RESULT, ByResult(result_uuid=message.result_uuid))).verified

    async def person(self, role: UserRole = UserRole.MEMBER, team_uuid: UUID | None = None) -> Person:
        """Somebody else, in the team."""
        person = await self.office.tenant.person(role)
        membership = Membership(user_uuid=person.user_uuid, team_uuid=team_uuid or self.office.team_uuid)
        await self.office.admin.call(account.ADD_MEMBER, membership)
        return person

    async def team(self, conn_uuid: UUID | None = None, **scopes: Any) -> tuple[Person, UUID]:
        """Another team with somebody in it, who may ask over the connection."""
        team = await self.office.admin.call(account.CREATE_TEAM, CreateTeam(team_name=unique("team")))
        grant = GrantTeams(conn_uuid=conn_uuid or self.shop.conn_uuid, team_uuids=(team.team_uuid,), **scopes)
        await self.office.admin.call(connection.GRANT_TEAMS, grant)
        return await self.person(team_uuid=team.team_uuid), team.team_uuid

    async def age(self, hours: int) -> None:
        """All rows of the client were fetched so much earlier."""
        async with (
            self.installation.storage("chat-agent") as storage,
            storage.tenant(self.office.tenant.client_uuid) as tx,
        ):
            await tx.execute("update result set fresh_at = fresh_at - make_interval(hours => $1)", hours)

    async def become_strict(self) -> None:
        """From then on members get verified answers alone."""
        owner = await self.office.tenant.owner()
        await owner.call(account.UPDATE_VERIFY_MODE, UpdateVerifyMode(verify_mode=VerifyMode.STRICT))

        async def strict() -> bool:
            return (await self.ask(HOW_MANY)).code == "not_verified"

        assert await within(10, strict)


@asynccontextmanager
async def desk_of(installation: Installation, folder: Path, **settings: str) -> AsyncIterator[Desk]:
    """A desk with chat-agent beside it, which has these settings."""
    results = (folder / "results").as_uri()
    async with (
        connected(installation, folder / "tls", results_url=results) as opened,
        installation.running("chat-agent", **settings),
    ):
        yield opened


async def house_of(desk: Desk, installation: Installation) -> House:
    """Of a new client."""
    office, customer = await desk.office(), await desk.customer(SHOP)
    await customer.execute("insert into shop.customer values (4, 'Di', 'Hamar'), (5, 'Eve', 'Hamar')")
    shop = await office.add(desk.fields(customer))
    return House(desk, office, customer, shop, installation)


def count_of(message: Message) -> str:
    assert message.msg_type is MessageType.RESPONSE, message.content
    return "".join(character for character in message.content if character.isdigit())
