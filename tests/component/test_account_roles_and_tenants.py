"""Who may create, see, change and delete whom; teams and memberships; nothing of another client's."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import msgspec
import pytest

import identity
from basejump_common.bus import Context
from basejump_common.contracts import account
from basejump_common.contracts.account import (
    ByClientUser,
    ByTeam,
    CheckMembership,
    CreateClient,
    CreateTeam,
    CreateUser,
    Membership,
    MembershipStanding,
    TeamUsersRequest,
    UpdateTeam,
    UpdateUser,
    User,
    UserTeamsRequest,
)
from basejump_common.contracts.common import ByUser, Nothing, PageRequest
from basejump_common.contracts.operation import Operation
from basejump_common.errors import Conflict, Forbidden, InvalidInput, NotFound
from basejump_common.security.principal import UserRole
from basejump_common.storage.catalogue import PLATFORM_TABLES
from identity import Caller, House, Tenant
from installation import Installation, unique

BELOW = {
    UserRole.OWNER: {UserRole.ADMIN, UserRole.MEMBER, UserRole.SERVICE_MEMBER, UserRole.SUB_MEMBER},
    UserRole.ADMIN: {UserRole.MEMBER, UserRole.SERVICE_MEMBER, UserRole.SUB_MEMBER},
    UserRole.MEMBER: set[UserRole](),
    UserRole.SERVICE_MEMBER: set[UserRole](),
    UserRole.SUB_MEMBER: set[UserRole](),
}


@pytest.fixture(scope="module")
async def house(installation: Installation) -> AsyncIterator[House]:
    async with identity.people(installation) as opened:
        yield opened


async def _user(caller: Caller, role: UserRole, **more: UUID | str) -> User:
    request = msgspec.convert({"username": unique("user"), "role": role, **more}, CreateUser)
    return await caller.call(account.CREATE_USER, request)


async def _team(caller: Caller, name: str = "sales") -> UUID:
    return (await caller.call(account.CREATE_TEAM, CreateTeam(team_name=name))).team_uuid


async def _as(tenant: Tenant, role: UserRole) -> Caller:
    return await (tenant.owner() if role is UserRole.OWNER else tenant.person(role))


# -- clients ------------------------------------------------------------------------------------------------------


async def test_a_client_comes_with_its_owner_who_sees_it(house: House) -> None:
    tenant = await house.tenant()
    owner = await tenant.owner()
    client = await owner.call(account.GET_CLIENT, Nothing())
    assert client.client_uuid == tenant.client_uuid
    found = await owner.call(account.GET_USER, ByUser(user_uuid=tenant.owner_uuid))
    assert found.role is UserRole.OWNER


async def test_the_operator_lists_clients_in_pages_newest_first(house: House) -> None:
    made = [(await house.tenant()).client_uuid for _ in range(3)]
    first = await house.operator.call(account.LIST_CLIENTS, PageRequest(limit=2))
    second = await house.operator.call(account.LIST_CLIENTS, PageRequest(limit=2, cursor=first.next_cursor))
    assert [client.client_uuid for client in (*first.data, *second.data)][:3] == made[::-1]


async def test_no_client_creates_or_lists_clients(house: House) -> None:
    key = await (await house.tenant()).key()
    with pytest.raises(Forbidden):
        await key.call(account.CREATE_CLIENT, CreateClient(client_name="mine"))
    with pytest.raises(Forbidden):
        await key.call(account.LIST_CLIENTS, PageRequest())


# -- roles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller_role", list(UserRole))
async def test_a_role_creates_only_roles_below_itself(house: House, caller_role: UserRole) -> None:
    caller = await _as(await house.tenant(), caller_role)
    for role in UserRole:
        if role in BELOW[caller_role]:
            assert (await _user(caller, role)).role is role
        else:
            with pytest.raises(Forbidden):
                await _user(caller, role)


@pytest.mark.parametrize("caller_role", list(UserRole))
async def test_a_role_deletes_only_roles_below_itself(house: House, caller_role: UserRole) -> None:
    tenant = await house.tenant()
    key, caller = await tenant.key(), await _as(tenant, caller_role)
    for role in BELOW[UserRole.OWNER]:
        target = ByUser(user_uuid=(await _user(key, role)).user_uuid)
        if role in BELOW[caller_role]:
            assert (await caller.call(account.DELETE_USER, target)).ok
        else:
            with pytest.raises(Forbidden):
                await caller.call(account.DELETE_USER, target)


@pytest.mark.parametrize("caller_role", [UserRole.OWNER, UserRole.ADMIN])
async def test_a_role_is_changed_only_below_the_caller_before_and_after(house: House, caller_role: UserRole) -> None:
    tenant = await house.tenant()
    key, caller = await tenant.key(), await _as(tenant, caller_role)
    for before in BELOW[UserRole.OWNER]:
        for after in set(UserRole) - {before}:
            update = UpdateUser(user_uuid=(await _user(key, before)).user_uuid, role=after)
            if {before, after} <= BELOW[caller_role]:
                assert (await caller.call(account.UPDATE_USER, update)).role is after
            else:
                with pytest.raises(Forbidden):
                    await caller.call(account.UPDATE_USER, update)


async def test_nobody_changes_their_own_role_but_may_change_their_own_name(house: House) -> None:
    admin = await (await house.tenant()).person(UserRole.ADMIN)
    with pytest.raises(Forbidden):
        await admin.call(account.UPDATE_USER, UpdateUser(user_uuid=admin.user_uuid, role=UserRole.MEMBER))
    renamed = await admin.call(account.UPDATE_USER, UpdateUser(user_uuid=admin.user_uuid, username="Ada"))
    assert (renamed.username, renamed.role) == ("Ada", UserRole.ADMIN)


async def test_the_last_owner_stays(house: House) -> None:
    tenant = await house.tenant()
    owner, admin = await tenant.owner(), await tenant.person(UserRole.ADMIN)
    with pytest.raises(Conflict):
        await owner.call(account.DELETE_USER, ByUser(user_uuid=tenant.owner_uuid))
    with pytest.raises(Forbidden):
        await admin.call(account.DELETE_USER, ByUser(user_uuid=tenant.owner_uuid))
    with pytest.raises(Forbidden):
        await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=tenant.owner_uuid, role=UserRole.ADMIN))


# -- users --------------------------------------------------------------------------------------------------------


async def test_email_has_two_spellings_that_must_agree(house: House) -> None:
    tenant = await house.tenant()
    key = await tenant.key()
    for given in ({"email": "a@b.c"}, {"email_address": "a@b.c"}, {"email": "a@b.c", "email_address": "a@b.c"}):
        assert (await _user(key, UserRole.MEMBER, **given)).email_address == "a@b.c"
    with pytest.raises(InvalidInput, match="email"):
        await _user(key, UserRole.MEMBER, email="a@b.c", email_address="d@e.f")
    admin = await tenant.person(UserRole.ADMIN)
    changed = await admin.call(account.UPDATE_USER, UpdateUser(user_uuid=admin.user_uuid, email="g@h.i"))
    assert changed.email_address == "g@h.i"
    with pytest.raises(InvalidInput, match="email"):
        await admin.call(account.UPDATE_USER, UpdateUser(user_uuid=admin.user_uuid, email="a@b.c", email_address="d@e"))


async def test_a_sub_member_belongs_to_a_service_member_of_the_same_client(house: House) -> None:
    tenant, stranger = await house.tenant(), await house.tenant()
    key = await tenant.key()
    service = (await _user(key, UserRole.SERVICE_MEMBER)).user_uuid
    sub = await _user(key, UserRole.SUB_MEMBER, service_user_uuid=service)
    assert sub.service_user_uuid == service
    with pytest.raises(InvalidInput, match="service_user_uuid"):
        await _user(key, UserRole.SUB_MEMBER, service_user_uuid=(await _user(key, UserRole.MEMBER)).user_uuid)
    with pytest.raises(InvalidInput, match="service_user_uuid"):
        await _user(key, UserRole.MEMBER, service_user_uuid=service)
    foreign = (await _user(await stranger.key(), UserRole.SERVICE_MEMBER)).user_uuid
    with pytest.raises(NotFound):
        await _user(key, UserRole.SUB_MEMBER, service_user_uuid=foreign)


@pytest.mark.parametrize("ending", ["deleted", "changed"])
async def test_sub_members_stay_when_their_service_member_goes(house: House, ending: str) -> None:
    tenant = await house.tenant()
    owner = await tenant.owner()
    service = (await _user(owner, UserRole.SERVICE_MEMBER)).user_uuid
    sub = await _user(owner, UserRole.SUB_MEMBER, service_user_uuid=service)
    if ending == "deleted":
        await owner.call(account.DELETE_USER, ByUser(user_uuid=service))
    else:
        await owner.call(account.UPDATE_USER, UpdateUser(user_uuid=service, role=UserRole.MEMBER))
    assert (await owner.call(account.GET_USER, ByUser(user_uuid=sub.user_uuid))).service_user_uuid is None


async def test_a_member_sees_themselves_and_no_other_user(house: House) -> None:
    tenant = await house.tenant()
    member = await tenant.person(UserRole.MEMBER)
    assert (await member.call(account.GET_USER, ByUser(user_uuid=member.user_uuid))).user_uuid == member.user_uuid
    with pytest.raises(Forbidden):
        await member.call(account.GET_USER, ByUser(user_uuid=tenant.owner_uuid))
    with pytest.raises(NotFound):
        await member.call(account.GET_USER, ByUser(user_uuid=uuid4()))


async def test_users_come_in_pages_that_a_new_user_does_not_shift(house: House) -> None:
    tenant = await house.tenant()
    owner = await tenant.owner()
    made = [(await _user(owner, UserRole.MEMBER)).user_uuid for _ in range(4)]
    first = await owner.call(account.LIST_USERS, PageRequest(limit=2))
    await _user(owner, UserRole.MEMBER)
    second = await owner.call(account.LIST_USERS, PageRequest(limit=3, cursor=first.next_cursor))
    assert [user.user_uuid for user in (*first.data, *second.data)] == [*reversed(made), tenant.owner_uuid]
    assert second.next_cursor is None
    with pytest.raises(InvalidInput, match="cursor"):
        await owner.call(account.LIST_USERS, PageRequest(cursor="nonsense"))


async def test_text_with_nul_is_invalid_input(house: House) -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        await (await (await house.tenant()).key()).call(account.CREATE_USER, CreateUser(username="a\0b"))


# -- teams --------------------------------------------------------------------------------------------------------


async def test_a_member_sees_their_own_teams_and_an_admin_all(house: House) -> None:
    tenant = await house.tenant()
    owner, member = await tenant.owner(), await tenant.person(UserRole.MEMBER)
    own, other = await _team(owner, "own"), await _team(owner, "other")
    await owner.call(account.ADD_MEMBER, Membership(user_uuid=member.user_uuid, team_uuid=own))
    assert [team.team_uuid for team in (await member.call(account.LIST_TEAMS, PageRequest())).data] == [own]
    assert [team.team_uuid for team in (await owner.call(account.LIST_TEAMS, PageRequest())).data] == [other, own]
    assert (await member.call(account.GET_TEAM, ByTeam(team_uuid=own))).team_name == "own"
    with pytest.raises(NotFound):
        await member.call(account.GET_TEAM, ByTeam(team_uuid=other))


async def test_a_teams_name_is_a_label_that_an_admin_changes(house: House) -> None:
    admin = await (await house.tenant()).person(UserRole.ADMIN)
    one, other = await _team(admin), await _team(admin)
    assert one != other
    await admin.call(account.UPDATE_TEAM, UpdateTeam(team_uuid=one, team_desc="who sells"))
    await admin.call(account.UPDATE_TEAM, UpdateTeam(team_uuid=one, team_name="shops"))
    changed = await admin.call(account.GET_TEAM, ByTeam(team_uuid=one))
    assert (changed.team_name, changed.team_desc) == ("shops", "who sells")
    assert (await admin.call(account.GET_TEAM, ByTeam(team_uuid=other))).team_name == "sales"


async def test_joining_twice_is_one_membership_and_leaving_twice_is_not_found(house: House) -> None:
    tenant = await house.tenant()
    owner = await tenant.owner()
    membership = Membership(user_uuid=owner.user_uuid, team_uuid=await _team(owner))
    for _ in range(2):
        assert await owner.call(account.ADD_MEMBER, membership) == membership
    users = await owner.call(account.LIST_TEAM_USERS, TeamUsersRequest(team_uuid=membership.team_uuid))
    assert [user.user_uuid for user in users.data] == [owner.user_uuid]
    teams = await owner.call(account.LIST_USER_TEAMS, UserTeamsRequest(user_uuid=owner.user_uuid))
    assert [team.team_uuid for team in teams.data] == [membership.team_uuid]
    await owner.call(account.REMOVE_MEMBER, membership)
    with pytest.raises(NotFound):
        await owner.call(account.REMOVE_MEMBER, membership)


async def test_services_ask_whether_a_user_is_in_a_team(house: House, installation: Installation) -> None:
    tenant = await house.tenant()
    owner = await tenant.owner()
    team_uuid = await _team(owner)
    await owner.call(account.ADD_MEMBER, Membership(user_uuid=owner.user_uuid, team_uuid=team_uuid))
    async with installation.bus("chat-agent") as bus:
        service = Caller(bus, owner.token)
        answers = [
            await service.call(account.CHECK_MEMBERSHIP, CheckMembership(team_uuid=team, user_uuid=user))
            for team, user in ((team_uuid, owner.user_uuid), (team_uuid, uuid4()), (uuid4(), owner.user_uuid))
        ]
    assert answers == [
        MembershipStanding(team_exists=True, member=True),
        MembershipStanding(team_exists=True, member=False),
        MembershipStanding(team_exists=False, member=False),
    ]


async def test_deleting_a_user_or_a_team_ends_memberships_and_says_so(house: House, installation: Installation) -> None:
    tenant = await house.tenant()
    owner = await tenant.owner()
    leaving, staying = [(await _user(owner, UserRole.MEMBER)).user_uuid for _ in range(2)]
    team_uuid = await _team(owner)
    for user_uuid in (leaving, staying):
        await owner.call(account.ADD_MEMBER, Membership(user_uuid=user_uuid, team_uuid=team_uuid))
    await owner.call(account.DELETE_USER, ByUser(user_uuid=leaving))
    users = await owner.call(account.LIST_TEAM_USERS, TeamUsersRequest(team_uuid=team_uuid))
    assert [user.user_uuid for user in users.data] == [staying]
    await owner.call(account.DELETE_TEAM, ByTeam(team_uuid=team_uuid))
    assert (await owner.call(account.LIST_USER_TEAMS, UserTeamsRequest(user_uuid=staying))).data == ()
    assert await _events(installation, tenant) == [
        "client.created",
        "user.created",
        "user.created",
        "user.created",
        "team.created",
        "membership.added",
        "membership.added",
        "membership.removed",
        "user.deleted",
        "membership.removed",
        "team.deleted",
    ]


async def _events(installation: Installation, tenant: Tenant) -> list[str]:
    """What account published about a client, in order."""
    database = await installation.database()
    try:
        rows = await database.fetch(
            "select subject from account.outbox where subject like '%' || $1 || '%' order by position",
            str(tenant.client_uuid),
        )
    finally:
        await database.close()
    return [".".join(row["subject"].split(".")[-2:]) for row in rows]


# -- tenants ------------------------------------------------------------------------------------------------------


async def test_everything_of_another_client_is_not_found(house: House) -> None:
    tenant, stranger = await house.tenant(), await house.tenant()
    owner, thief = await tenant.owner(), await stranger.owner()
    user_uuid, team_uuid = (await _user(owner, UserRole.MEMBER)).user_uuid, await _team(owner)
    await owner.call(account.ADD_MEMBER, Membership(user_uuid=user_uuid, team_uuid=team_uuid))
    own_team = await _team(thief)
    attempts: list[tuple[Operation, msgspec.Struct]] = [  # type: ignore[type-arg]
        (account.GET_USER, ByUser(user_uuid=user_uuid)),
        (account.UPDATE_USER, UpdateUser(user_uuid=user_uuid, username="stolen")),
        (account.DELETE_USER, ByUser(user_uuid=user_uuid)),
        (account.GET_TEAM, ByTeam(team_uuid=team_uuid)),
        (account.UPDATE_TEAM, UpdateTeam(team_uuid=team_uuid, team_name="stolen")),
        (account.DELETE_TEAM, ByTeam(team_uuid=team_uuid)),
        (account.LIST_TEAM_USERS, TeamUsersRequest(team_uuid=team_uuid)),
        (account.LIST_USER_TEAMS, UserTeamsRequest(user_uuid=user_uuid)),
        (account.REMOVE_MEMBER, Membership(user_uuid=user_uuid, team_uuid=team_uuid)),
        (account.ADD_MEMBER, Membership(user_uuid=thief.user_uuid, team_uuid=team_uuid)),
        (account.ADD_MEMBER, Membership(user_uuid=user_uuid, team_uuid=own_team)),
    ]
    for operation, request in attempts:
        with pytest.raises(NotFound):
            await thief.call(operation, request)
    assert [user.user_uuid for user in (await thief.call(account.LIST_USERS, PageRequest())).data] == [thief.user_uuid]


async def test_a_users_standing_is_asked_within_its_client(house: House, installation: Installation) -> None:
    tenant, stranger = await house.tenant(), await house.tenant()
    async with installation.bus("auth") as bus:
        request = ByClientUser(client_uuid=tenant.client_uuid, user_uuid=tenant.owner_uuid)
        assert (await bus.call(account.USER_STANDING, request, Context.new())).role is UserRole.OWNER
        request = ByClientUser(client_uuid=stranger.client_uuid, user_uuid=tenant.owner_uuid)
        with pytest.raises(NotFound):
            await bus.call(account.USER_STANDING, request, Context.new())


@pytest.mark.parametrize("table", ["client", "client_user", "team", "membership"])
async def test_a_query_without_a_tenant_sees_nothing(house: House, installation: Installation, table: str) -> None:
    owner = await (await house.tenant()).owner()
    await owner.call(account.ADD_MEMBER, Membership(user_uuid=owner.user_uuid, team_uuid=await _team(owner)))
    login, superuser = await installation.database("account"), await installation.database()
    try:
        assert await superuser.fetchval(f"select count(*) from account.{table}") > 0
        assert await login.fetchval(f"select count(*) from account.{table}") == 0
    finally:
        await login.close()
        await superuser.close()


async def test_only_these_tables_have_no_row_security(installation: Installation) -> None:
    superuser = await installation.database()
    unprotected = """
        select relnamespace::regnamespace::text || '.' || relname from pg_class
        where relnamespace::regnamespace::text in ('account', 'auth') and relkind in ('r', 'p')
          and not (relrowsecurity and relforcerowsecurity) and relname <> all($1) order by 1
    """
    try:
        found = [row[0] for row in await superuser.fetch(unprotected, PLATFORM_TABLES)]
    finally:
        await superuser.close()
    assert found == [
        "account.client_directory",
        "account.client_origin",
        "auth.revocation",
        "auth.secret_lookup",
        "auth.signing_key",
    ]
