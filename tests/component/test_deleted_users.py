"""What becomes of a user's questions when the user is deleted: with the real auth and account."""

from collections.abc import AsyncIterator

import pytest

from basejump_common.contracts import account, chat, webhook
from basejump_common.contracts.account import ByTeam, CreateTeam, Membership
from basejump_common.contracts.chat import Ask, ByChat, Chat, CreateChat, OrphanType
from basejump_common.contracts.common import ByUser
from basejump_common.contracts.webhook import CreateWebhookSecret, Delivery, DeliveryState, ListDeliveries
from basejump_common.errors import NotFound
from basejump_common.security.principal import UserRole
from basejump_devstack.child import free_port
from chatting import asking, member_of
from identity import House, Person, people, within
from installation import Installation

QUESTION = "How many employees are there?"
REACHES_ALL = 5.0  # seconds


@pytest.fixture(scope="module", params=["0", "20"], ids=["answered", "at work"])
async def house(request: pytest.FixtureRequest, installation: Installation) -> AsyncIterator[House]:
    """connection-indexer is away: a question ends at once, or tries for twenty seconds; its webhook for a day."""
    settings = {"patience_seconds": request.param, "webhook_private_hosts": "true", "webhook_plain_http": "true"}
    async with people(installation) as opened, installation.running("chat-agent", **settings):
        yield opened


async def deliveries(owner: Person) -> tuple[Delivery, ...]:
    return (await owner.call(webhook.LIST_DELIVERIES, ListDeliveries())).data


async def chat_of(owner: Person, member: Person) -> Chat:
    team = await owner.call(account.CREATE_TEAM, CreateTeam(team_name="analysts"))
    await owner.call(account.ADD_MEMBER, Membership(user_uuid=member.user_uuid, team_uuid=team.team_uuid))
    return await member.call(chat.CREATE_CHAT, CreateChat(team_uuid=team.team_uuid))


async def becomes(owner: Person, opened: Chat, orphan_type: OrphanType) -> bool:
    """Whether the chat is told to be that within seconds."""

    async def told() -> bool:
        return (await owner.call(chat.GET_CHAT, ByChat(chat_uuid=opened.chat_uuid))).orphan_type is orphan_type

    return await within(REACHES_ALL, told)


async def test_a_deleted_users_questions_and_webhooks_end_and_the_chats_stay_for_admins(
    house: House, request: pytest.FixtureRequest
) -> None:
    tenant = await house.tenant()
    owner, member = await tenant.owner(), await tenant.person(UserRole.MEMBER)
    await owner.call(webhook.CREATE_SECRET, CreateWebhookSecret())
    opened = await chat_of(owner, member)
    ask = Ask(chat_uuid=opened.chat_uuid, prompt=QUESTION, webhook_url=f"http://127.0.0.1:{free_port()}/")
    async with asking(house.bus, member_of(tenant, member), ask) as (_, heard):
        at_work = "at work" in request.node.name
        if not at_work:
            await heard.final()
            assert [one.state for one in await deliveries(owner)] == [DeliveryState.QUEUED]
        await owner.call(account.DELETE_USER, ByUser(user_uuid=member.user_uuid))
        assert (await heard.final(10)).code == ("unauthenticated" if at_work else "unavailable")

    async def ended() -> bool:
        left = await deliveries(owner)
        return (at_work or len(left) == 1) and all(one.last_error == "the user was deleted" for one in left)

    assert await within(REACHES_ALL, ended), await deliveries(owner)
    kept = await owner.call(chat.GET_CHAT, ByChat(chat_uuid=opened.chat_uuid))
    assert (kept.user_uuid, kept.chat_name) == (member.user_uuid, QUESTION)


async def test_an_admin_deletes_what_a_deleted_user_has_left(house: House) -> None:
    tenant = await house.tenant()
    owner, admin = await tenant.owner(), await tenant.person(UserRole.ADMIN)
    leaving, colleague = await tenant.person(UserRole.MEMBER), await tenant.person(UserRole.MEMBER)
    left, kept = await chat_of(owner, leaving), await chat_of(owner, colleague)
    by_left = ByChat(chat_uuid=left.chat_uuid)
    with pytest.raises(NotFound):
        await admin.call(chat.DELETE_CHAT, by_left)
    await owner.call(account.DELETE_USER, ByUser(user_uuid=leaving.user_uuid))
    assert await becomes(owner, left, OrphanType.USER_DELETED)
    strangers_admin = await (await house.tenant()).person(UserRole.ADMIN)
    for nobody in (colleague, strangers_admin):
        with pytest.raises(NotFound):
            await nobody.call(chat.DELETE_CHAT, by_left)
    await admin.call(chat.DELETE_CHAT, by_left)
    with pytest.raises(NotFound):
        await owner.call(chat.GET_CHAT, by_left)
    assert (await colleague.call(chat.GET_CHAT, ByChat(chat_uuid=kept.chat_uuid))).orphan_type is None


async def test_chats_of_a_deleted_team_stay_their_users(house: House) -> None:
    tenant = await house.tenant()
    owner, member = await tenant.owner(), await tenant.person(UserRole.MEMBER)
    opened = await chat_of(owner, member)
    await owner.call(account.DELETE_TEAM, ByTeam(team_uuid=opened.team_uuid))
    assert await becomes(owner, opened, OrphanType.TEAM_DELETED)
    with pytest.raises(NotFound):
        await owner.call(chat.DELETE_CHAT, ByChat(chat_uuid=opened.chat_uuid))
    await member.call(chat.DELETE_CHAT, ByChat(chat_uuid=opened.chat_uuid))
