"""From client secret to access token, who may mint for whom, and how all of it ends."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

import identity
from basejump_common.bus import Context
from basejump_common.contracts import account, auth
from basejump_common.contracts.account import CreateTeam, CreateUser, UpdateUser
from basejump_common.contracts.auth import (
    BySecret,
    CreateAccessToken,
    CreateRefreshToken,
    CreateSecret,
    Delegate,
    IssueFirstSecret,
)
from basejump_common.contracts.common import ByUser, Nothing, PageRequest
from basejump_common.errors import DeadlineExceeded, Forbidden, InvalidInput, NotFound, Unauthenticated, Unavailable
from basejump_common.security.principal import Role, UserRole
from basejump_common.security.secret import Secret
from identity import Caller, House, Person, Tenant
from installation import Installation

REACHES_ALL = 5.0  # seconds


@pytest.fixture(scope="module")
async def house(installation: Installation) -> AsyncIterator[House]:
    async with identity.people(installation) as opened:
        yield opened


async def _is_refused(caller: Caller) -> bool:
    """account, which verifies for itself, no longer believes the token."""
    try:
        await caller.call(account.LIST_TEAMS, PageRequest())
    except Unauthenticated:
        return True
    return False


async def _secret(tenant: Tenant, role: UserRole, user_uuid: UUID | None = None) -> auth.CreatedSecret:
    return await (await tenant.owner()).call(auth.CREATE_SECRET, CreateSecret(role=role, user_uuid=user_uuid))


async def _user(tenant: Tenant, role: UserRole) -> UUID:
    made = await (await tenant.key()).call(account.CREATE_USER, CreateUser(username="somebody", role=role))
    return made.user_uuid


async def test_a_secret_mints_a_refresh_token_that_gives_access_tokens_that_work(house: House) -> None:
    admin = await (await house.tenant()).person(UserRole.ADMIN)
    team = await admin.call(account.CREATE_TEAM, CreateTeam(team_name="sales"))
    assert team.team_name == "sales"


@pytest.mark.parametrize(
    "text",
    ["", "bj_dev_", "nonsense", "bj_live_" + "a" * 34, "bj_dev_" + "a" * 34, "bj_dev_" + "ä" * 34, "x" * 10_000],
)
async def test_what_is_no_secret_is_refused(house: House, text: str) -> None:
    with pytest.raises(Unauthenticated):
        await identity.exchange(house.bus, Secret(text))


async def test_a_secret_with_one_character_changed_is_refused(house: House) -> None:
    text = (await house.tenant()).secret.reveal()
    with pytest.raises(Unauthenticated):
        await identity.exchange(house.bus, Secret(text[:-1] + ("a" if text[-1] != "a" else "b")))


async def test_the_value_of_a_secret_is_nowhere_in_the_database(house: House, installation: Installation) -> None:
    tenant = await house.tenant()
    await tenant.owner()
    database = await installation.database()
    try:
        for table in ("client_secret", "secret_lookup", "session", "outbox", "revocation"):
            rows = "\n".join(row[0] for row in await database.fetch(f"select t::text from auth.{table} t"))
            assert tenant.secret.reveal() not in rows
            assert tenant.secret.reveal().encode().hex() not in rows
    finally:
        await database.close()


async def test_minting_for_a_user_above_the_secrets_role_is_forbidden(house: House) -> None:
    tenant = await house.tenant()
    key = await tenant.key((await _secret(tenant, UserRole.ADMIN)).client_secret)
    with pytest.raises(Forbidden):
        await key.call(auth.CREATE_REFRESH_TOKEN, CreateRefreshToken(user_uuid=tenant.owner_uuid))


async def test_minting_for_nobody_or_for_another_clients_user_is_not_found(house: House) -> None:
    tenant, stranger = await house.tenant(), await house.tenant()
    for user_uuid in (uuid4(), stranger.owner_uuid):
        with pytest.raises(NotFound):
            await (await tenant.key()).call(auth.CREATE_REFRESH_TOKEN, CreateRefreshToken(user_uuid=user_uuid))


async def test_a_member_secret_mints_only_for_its_own_user(house: House) -> None:
    tenant = await house.tenant()
    bound, other = await _user(tenant, UserRole.MEMBER), await _user(tenant, UserRole.MEMBER)
    secret = await _secret(tenant, UserRole.MEMBER, bound)
    assert (await tenant.sign_in(bound, secret.client_secret)).user_uuid == bound
    with pytest.raises(Forbidden):
        await tenant.sign_in(other, secret.client_secret)


async def test_a_member_secret_needs_a_user_of_the_client_and_an_admin_secret_takes_none(house: House) -> None:
    tenant, stranger = await house.tenant(), await house.tenant()
    with pytest.raises(InvalidInput):
        await _secret(tenant, UserRole.MEMBER)
    with pytest.raises(NotFound):
        await _secret(tenant, UserRole.MEMBER, stranger.owner_uuid)
    with pytest.raises(Forbidden):
        await _secret(tenant, UserRole.MEMBER, tenant.owner_uuid)
    with pytest.raises(InvalidInput):
        await _secret(tenant, UserRole.ADMIN, await _user(tenant, UserRole.MEMBER))


async def test_an_owner_may_create_an_owner_secret_and_an_admin_none(house: House) -> None:
    tenant = await house.tenant()
    made = await _secret(tenant, UserRole.OWNER)
    assert (await tenant.sign_in(tenant.owner_uuid, made.client_secret)).user_uuid == tenant.owner_uuid
    admin = await tenant.person(UserRole.ADMIN)
    with pytest.raises(Forbidden):
        await admin.call(auth.CREATE_SECRET, CreateSecret(role=UserRole.MEMBER))


async def test_each_kind_of_token_is_refused_where_another_is_asked_for(house: House) -> None:
    tenant = await house.tenant()
    owner, key = await tenant.owner(), await tenant.key()
    refresh = Caller(house.bus, owner.refresh_token)
    with pytest.raises(Unauthenticated):  # a refresh token used as an access token
        await refresh.call(account.LIST_TEAMS, PageRequest())
    with pytest.raises(Unauthenticated):
        await key.call(account.LIST_TEAMS, PageRequest())
    with pytest.raises(Unauthenticated):
        await owner.call(auth.CREATE_ACCESS_TOKEN, CreateAccessToken())
    with pytest.raises(Unauthenticated):
        await refresh.call(auth.CREATE_REFRESH_TOKEN, CreateRefreshToken(user_uuid=owner.user_uuid))


async def test_a_refresh_token_gives_access_for_its_own_user_alone(house: House) -> None:
    tenant = await house.tenant()
    caller = Caller(house.bus, (await tenant.owner()).refresh_token)
    with pytest.raises(Forbidden):
        await caller.call(auth.CREATE_ACCESS_TOKEN, CreateAccessToken(user_uuid=await _user(tenant, UserRole.MEMBER)))
    with pytest.raises(NotFound):
        await caller.call(auth.CREATE_ACCESS_TOKEN, CreateAccessToken(user_uuid=uuid4()))


async def test_a_revoked_secret_ends_all_that_came_from_it_everywhere_within_five_seconds(house: House) -> None:
    tenant = await house.tenant()
    owner, secret = await tenant.owner(), await _secret(tenant, UserRole.ADMIN)
    admin = await tenant.sign_in(await _user(tenant, UserRole.ADMIN), secret.client_secret)
    key = await tenant.key(secret.client_secret)
    assert not await _is_refused(admin)
    await owner.call(auth.DELETE_SECRET, BySecret(client_secret_uuid=secret.client_secret_uuid))
    assert await identity.within(REACHES_ALL, lambda: _is_refused(admin))
    with pytest.raises(Unauthenticated):
        await identity.exchange(house.bus, secret.client_secret)
    with pytest.raises(Unauthenticated):
        await identity.access_token(house.bus, admin.refresh_token)
    with pytest.raises(Unauthenticated):
        await key.call(account.CREATE_USER, CreateUser(username="late"))
    assert not await _is_refused(owner)


async def test_another_clients_secret_is_not_found(house: House) -> None:
    tenant, stranger = await house.tenant(), await house.tenant()
    with pytest.raises(NotFound):
        await (await stranger.owner()).call(auth.DELETE_SECRET, BySecret(client_secret_uuid=tenant.secret_uuid))
    assert await tenant.key()


async def test_secrets_are_listed_in_pages_without_their_values(house: House) -> None:
    tenant = await house.tenant()
    owner = await tenant.owner()
    made = [(await _secret(tenant, UserRole.ADMIN)).client_secret_uuid for _ in range(3)]
    first = await owner.call(auth.LIST_SECRETS, PageRequest(limit=2))
    second = await owner.call(auth.LIST_SECRETS, PageRequest(limit=2, cursor=first.next_cursor))
    listed = [secret.client_secret_uuid for secret in (*first.data, *second.data)]
    assert listed == [*reversed(made), tenant.secret_uuid]
    assert second.next_cursor is None
    assert not hasattr(first.data[0], "client_secret")
    assert len({secret.public_key for secret in (*first.data, *second.data)}) == 4
    assert all(secret.public_key and secret.prefix.startswith("bj_dev_") for secret in first.data)


async def test_the_caller_can_end_their_own_sessions(house: House) -> None:
    tenant = await house.tenant()
    here, elsewhere = await tenant.owner(), await tenant.owner()
    await here.call(auth.REVOKE_TOKENS, Nothing())
    assert await identity.within(REACHES_ALL, lambda: _is_refused(here))
    assert await identity.within(REACHES_ALL, lambda: _is_refused(elsewhere))
    with pytest.raises(Unauthenticated):
        await identity.access_token(house.bus, elsewhere.refresh_token)
    assert not await _is_refused(await tenant.owner())


async def test_deleting_a_user_ends_their_tokens_and_bound_secrets(house: House) -> None:
    tenant = await house.tenant()
    user_uuid = await _user(tenant, UserRole.MEMBER)
    secret = (await _secret(tenant, UserRole.MEMBER, user_uuid)).client_secret
    member = await tenant.sign_in(user_uuid, secret)
    await (await tenant.owner()).call(account.DELETE_USER, ByUser(user_uuid=user_uuid))
    with pytest.raises(Unauthenticated):  # at once, for account is asked
        await identity.access_token(house.bus, member.refresh_token)
    assert await identity.within(REACHES_ALL, lambda: _is_refused(member))
    with pytest.raises(Unauthenticated):
        await identity.exchange(house.bus, secret)


async def test_a_new_role_ends_the_old_tokens_and_new_ones_work_at_once(house: House) -> None:
    tenant = await house.tenant()
    before, owner = await tenant.person(UserRole.ADMIN), await tenant.owner()
    await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=before.user_uuid, role=UserRole.MEMBER))
    after = await tenant.sign_in(before.user_uuid)
    with pytest.raises(Unauthenticated):
        await identity.access_token(house.bus, before.refresh_token)
    assert await identity.within(REACHES_ALL, lambda: _is_refused(before))
    await asyncio.sleep(0.5)
    assert not await _is_refused(after)
    with pytest.raises(Forbidden):
        await after.call(account.LIST_USERS, PageRequest())


async def test_a_name_changed_ends_nothing(house: House) -> None:
    tenant = await house.tenant()
    admin, owner = await tenant.person(UserRole.ADMIN), await tenant.owner()
    await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=admin.user_uuid, username="other"))
    await asyncio.sleep(0.5)
    assert not await _is_refused(admin)
    assert await identity.access_token(house.bus, admin.refresh_token)


async def test_the_first_secret_asked_for_again_replaces_the_earlier_one(
    house: House, installation: Installation
) -> None:
    tenant = await house.tenant()
    request = IssueFirstSecret(client_uuid=tenant.client_uuid, client_name="again")
    async with installation.bus("account") as bus:
        second = await bus.call(auth.ISSUE_FIRST_SECRET, request, Context.new())
        last, also_last = await asyncio.gather(
            bus.call(auth.ISSUE_FIRST_SECRET, request, Context.new()),
            bus.call(auth.ISSUE_FIRST_SECRET, request, Context.new()),
        )
    works = []
    for secret in (tenant.secret, second.client_secret, last.client_secret, also_last.client_secret):
        try:
            await identity.exchange(house.bus, secret)
            works.append(True)
        except Unauthenticated:
            works.append(False)
    assert works[:2] == [False, False]
    assert sorted(works[2:]) == [False, True]


async def test_an_internal_secret_creates_clients_and_touches_no_clients_data(house: House) -> None:
    tenant = await house.tenant()
    assert tenant.secret.reveal().startswith("bj_dev_")
    with pytest.raises(Forbidden):
        await house.operator.call(account.CREATE_USER, CreateUser(username="x"))
    with pytest.raises(Forbidden):
        await house.operator.call(auth.CREATE_REFRESH_TOKEN, CreateRefreshToken(user_uuid=tenant.owner_uuid))


# -- delegation ---------------------------------------------------------------------------------------------------


async def _delegate(installation: Installation, person: Person, tenant: Tenant, role: Role) -> Secret:
    database = await installation.database()
    try:
        session_uuid = await database.fetchval(
            "select session_uuid from auth.session where user_uuid = $1 order by created_at desc limit 1",
            person.user_uuid,
        )
    finally:
        await database.close()
    request = Delegate(
        client_uuid=tenant.client_uuid,
        user_uuid=person.user_uuid,
        session_uuid=session_uuid,
        role=role,
        actor="chat-agent",
    )
    async with installation.bus("chat-agent") as bus:
        return (await bus.call(auth.DELEGATE, request, Context.new())).token


async def test_a_delegated_token_acts_for_its_user(house: House, installation: Installation) -> None:
    tenant = await house.tenant()
    admin = await tenant.person(UserRole.ADMIN)
    token = await _delegate(installation, admin, tenant, Role.ADMIN)
    assert await Caller(house.bus, token).call(account.LIST_USERS, PageRequest())


async def test_delegation_ends_with_the_session_the_secret_the_user_and_the_role(
    house: House, installation: Installation
) -> None:
    tenant = await house.tenant()
    owner, signed_out, deleted, demoted = (
        await tenant.owner(),
        await tenant.person(UserRole.ADMIN),
        await tenant.person(UserRole.ADMIN),
        await tenant.person(UserRole.ADMIN),
    )
    secret = await _secret(tenant, UserRole.ADMIN)
    keyless = await tenant.sign_in(await _user(tenant, UserRole.ADMIN), secret.client_secret)
    await signed_out.call(auth.REVOKE_TOKENS, Nothing())
    await owner.call(account.DELETE_USER, ByUser(user_uuid=deleted.user_uuid))
    await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=demoted.user_uuid, role=UserRole.MEMBER))
    await owner.call(auth.DELETE_SECRET, BySecret(client_secret_uuid=secret.client_secret_uuid))
    for person in (signed_out, deleted, demoted, keyless):
        with pytest.raises(Unauthenticated):
            await _delegate(installation, person, tenant, Role.ADMIN)


async def test_delegation_for_another_role_than_the_sessions_is_refused(
    house: House, installation: Installation
) -> None:
    tenant = await house.tenant()
    member = await tenant.person(UserRole.MEMBER)
    with pytest.raises(Unauthenticated):
        await _delegate(installation, member, tenant, Role.ADMIN)


async def test_the_gateway_may_not_delegate(house: House) -> None:
    somebody = uuid4()
    request = Delegate(
        client_uuid=somebody, user_uuid=somebody, session_uuid=somebody, role=Role.OWNER, actor="chat-agent"
    )
    with pytest.raises((DeadlineExceeded, Unavailable)):  # NATS drops what a user may not publish
        await house.bus.call(auth.DELEGATE, request, Context.new(), timeout=0.5)
