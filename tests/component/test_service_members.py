"""A service member and the sub members that belong to it: whose tokens its secret gets, and how that ends."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest

import identity
from basejump_common.contracts import account, auth
from basejump_common.contracts.account import CreateUser, UpdateUser
from basejump_common.contracts.auth import BySecret, CreateSecret
from basejump_common.contracts.common import ByUser, PageRequest
from basejump_common.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from basejump_common.security.principal import UserRole
from basejump_common.security.secret import Secret
from identity import Caller, House, Person, Tenant
from installation import Installation

REACHES_ALL = 5.0  # seconds


@pytest.fixture(scope="module")
async def house(installation: Installation) -> AsyncIterator[House]:
    async with identity.people(installation) as opened:
        yield opened


@dataclass(frozen=True)
class Embedding:
    """A tenant with a service member, its secret, and a sub member that is signed in by it."""

    tenant: Tenant
    owner: Person
    service_uuid: UUID
    secret: auth.CreatedSecret
    sub: Person


@pytest.fixture
async def embedding(house: House) -> Embedding:
    tenant = await house.tenant()
    owner = await tenant.owner()
    service_uuid = await user(owner, UserRole.SERVICE_MEMBER)
    secret = await owner.call(auth.CREATE_SECRET, CreateSecret(role=UserRole.SERVICE_MEMBER, user_uuid=service_uuid))
    sub = await tenant.sign_in(await user(owner, UserRole.SUB_MEMBER, service_uuid), secret.client_secret)
    return Embedding(tenant, owner, service_uuid, secret, sub)


async def user(caller: Caller, role: UserRole, service_user_uuid: UUID | None = None) -> UUID:
    request = CreateUser(username="somebody", role=role, service_user_uuid=service_user_uuid)
    return (await caller.call(account.CREATE_USER, request)).user_uuid


async def is_refused(caller: Caller) -> bool:
    try:
        await caller.call(account.LIST_TEAMS, PageRequest())
    except Unauthenticated:
        return True
    return False


async def assert_ended(house: House, person: Person) -> None:
    """No new token at once, none of the old ones within seconds."""
    with pytest.raises(Unauthenticated):
        await identity.access_token(house.bus, person.refresh_token)
    assert await identity.within(REACHES_ALL, lambda: is_refused(person))


async def test_a_service_members_secret_gets_tokens_for_it_and_its_own_sub_members_alone(embedding: Embedding) -> None:
    tenant, key = embedding.tenant, embedding.secret.client_secret
    assert (await embedding.sub.call(account.GET_USER, ByUser(user_uuid=embedding.sub.user_uuid))).role == "SUB_MEMBER"
    assert (await tenant.sign_in(embedding.service_uuid, key)).user_uuid == embedding.service_uuid
    other_service = await user(embedding.owner, UserRole.SERVICE_MEMBER)
    for not_theirs in (
        await user(embedding.owner, UserRole.SUB_MEMBER, other_service),
        await user(embedding.owner, UserRole.SUB_MEMBER),
        await user(embedding.owner, UserRole.MEMBER),
    ):
        with pytest.raises(Forbidden):
            await tenant.sign_in(not_theirs, key)


async def test_a_member_secret_bound_to_a_service_member_reaches_no_sub_member(embedding: Embedding) -> None:
    request = CreateSecret(role=UserRole.MEMBER, user_uuid=embedding.service_uuid)
    secret = await embedding.owner.call(auth.CREATE_SECRET, request)
    with pytest.raises(Forbidden):
        await embedding.tenant.sign_in(embedding.sub.user_uuid, secret.client_secret)


async def test_a_service_members_secret_creates_no_users(embedding: Embedding) -> None:
    key = await embedding.tenant.key(embedding.secret.client_secret)
    with pytest.raises(Forbidden):
        await user(key, UserRole.SUB_MEMBER, embedding.service_uuid)


@pytest.mark.parametrize("ending", ["deleted", "another role", "secret revoked"])
async def test_sub_members_tokens_end_with_their_service_member(
    house: House, embedding: Embedding, ending: str
) -> None:
    by_itself = await embedding.tenant.sign_in(embedding.sub.user_uuid)
    if ending == "deleted":
        await embedding.owner.call(account.DELETE_USER, ByUser(user_uuid=embedding.service_uuid))
    elif ending == "another role":
        change = UpdateUser(user_uuid=embedding.service_uuid, role=UserRole.MEMBER)
        await embedding.owner.call(account.UPDATE_USER, change)
    else:
        by_secret = BySecret(client_secret_uuid=embedding.secret.client_secret_uuid)
        await embedding.owner.call(auth.DELETE_SECRET, by_secret)
    await assert_ended(house, embedding.sub)
    assert not await is_refused(by_itself), "what the client's own secret began goes on"


async def test_a_sub_member_moves_to_another_service_member(house: House, embedding: Embedding) -> None:
    owner, sub_uuid = embedding.owner, embedding.sub.user_uuid
    other = await user(owner, UserRole.SERVICE_MEMBER)
    request = CreateSecret(role=UserRole.SERVICE_MEMBER, user_uuid=other)
    other_secret: Secret = (await owner.call(auth.CREATE_SECRET, request)).client_secret
    moved = await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=sub_uuid, service_user_uuid=other))
    assert moved.service_user_uuid == other
    after = await embedding.tenant.sign_in(sub_uuid, other_secret)
    await assert_ended(house, embedding.sub)
    assert not await is_refused(after)
    with pytest.raises(Forbidden):
        await embedding.tenant.sign_in(sub_uuid, embedding.secret.client_secret)


async def test_only_a_sub_member_is_given_a_service_member(house: House, embedding: Embedding) -> None:
    owner = embedding.owner
    member = await user(owner, UserRole.MEMBER)
    with pytest.raises(InvalidInput, match="service_user_uuid"):
        await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=member, service_user_uuid=embedding.service_uuid))
    change = UpdateUser(user_uuid=member, role=UserRole.SUB_MEMBER, service_user_uuid=embedding.service_uuid)
    assert (await owner.call(account.UPDATE_USER, change)).service_user_uuid == embedding.service_uuid
    foreign = await user(await (await house.tenant()).owner(), UserRole.SERVICE_MEMBER)
    with pytest.raises(NotFound):
        await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=member, service_user_uuid=foreign))
