"""Who may open a chat, and in whose name a prompt is worked on: with the real auth and account."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from basejump_common.contracts import account, auth, chat
from basejump_common.contracts.account import CreateTeam, Membership
from basejump_common.contracts.chat import Ask, CreateChat, MessageType
from basejump_common.contracts.common import Nothing
from basejump_common.errors import NotFound
from basejump_common.security.principal import UserRole
from chatting import asking, member_of
from identity import House, Tenant, people
from installation import Installation


@pytest.fixture(scope="module")
async def house(installation: Installation) -> AsyncIterator[House]:
    async with people(installation) as opened, installation.running("chat-agent", patience_seconds="20"):
        yield opened


async def team_with(tenant: Tenant, *members: UUID) -> UUID:
    admin = await tenant.person(UserRole.ADMIN)
    team = await admin.call(account.CREATE_TEAM, CreateTeam(team_name="analysts"))
    for user_uuid in members:
        await admin.call(account.ADD_MEMBER, Membership(user_uuid=user_uuid, team_uuid=team.team_uuid))
    return team.team_uuid


async def test_a_chat_is_opened_by_who_is_in_the_team(house: House) -> None:
    tenant = await house.tenant()
    member = await tenant.person(UserRole.MEMBER)
    team_uuid = await team_with(tenant, member.user_uuid)
    opened = await member.call(chat.CREATE_CHAT, CreateChat(team_uuid=team_uuid))
    assert (opened.team_uuid, opened.user_uuid, opened.chat_name) == (team_uuid, member.user_uuid, None)


async def test_nobody_opens_a_chat_in_a_team_of_others(house: House) -> None:
    tenant = await house.tenant()
    team_uuid = await team_with(tenant)
    outsiders = (
        await tenant.person(UserRole.MEMBER),
        await tenant.person(UserRole.ADMIN),
        await (await house.tenant()).owner(),
    )
    for outsider in outsiders:
        for team in (team_uuid, uuid4()):
            with pytest.raises(NotFound):
                await outsider.call(chat.CREATE_CHAT, CreateChat(team_uuid=team))


async def test_a_prompt_ends_when_the_session_that_asked_it_is_revoked(house: House) -> None:
    """connection-indexer is away, so the prompt keeps trying, with a new token from auth each time."""
    tenant = await house.tenant()
    member = await tenant.person(UserRole.MEMBER)
    team_uuid = await team_with(tenant, member.user_uuid)
    opened = await member.call(chat.CREATE_CHAT, CreateChat(team_uuid=team_uuid))
    ask = Ask(chat_uuid=opened.chat_uuid, prompt="How many employees are there?")
    async with asking(house.bus, member_of(tenant, member), ask) as (_, heard):
        await member.call(auth.REVOKE_TOKENS, Nothing())
        final = await heard.final(10)
    assert (final.msg_type, final.code) == (MessageType.ERROR, "unauthenticated")
