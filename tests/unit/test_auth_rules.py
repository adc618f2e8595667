"""Who may mint and create secrets, and when keys come and go: the whole tables, without I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from basejump_auth.domain import lifetimes, rules
from basejump_common.contracts.account import UserStanding
from basejump_common.contracts.auth import CreateSecret
from basejump_common.errors import Forbidden, InvalidInput
from basejump_common.security.principal import Credential, Principal, Role, UserRole

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
MEMBER_RANK = {UserRole.MEMBER, UserRole.SERVICE_MEMBER, UserRole.SUB_MEMBER}


@dataclass(frozen=True)
class Key:
    active_from: datetime
    published_at: datetime | None = NOW


def _secret(role: Role) -> Principal:
    return Principal(credential=Credential.CLIENT_SECRET, role=role, client_uuid=uuid4(), user_uuid=uuid4())


def _user(role: UserRole, user_uuid: UUID | None = None, service_user_uuid: UUID | None = None) -> UserStanding:
    return UserStanding(
        client_uuid=uuid4(), user_uuid=user_uuid or uuid4(), role=role, service_user_uuid=service_user_uuid
    )


def _refused(*arguments: object) -> bool:
    check, *rest = arguments
    assert callable(check)
    try:
        check(*rest)
    except Forbidden:
        return True
    return False


@pytest.mark.parametrize("role", list(UserRole))
def test_only_a_secret_of_member_rank_is_bound_to_its_user(role: UserRole) -> None:
    secret = _secret(Role(role))
    assert not _refused(rules.check_may_ask_for, secret, _user(UserRole.MEMBER, secret.user))
    assert _refused(rules.check_may_ask_for, secret, _user(UserRole.MEMBER)) == (role in MEMBER_RANK)


@pytest.mark.parametrize("role", list(UserRole))
def test_of_those_only_a_service_members_secret_reaches_its_sub_members(role: UserRole) -> None:
    secret = _secret(Role(role))
    sub = _user(UserRole.SUB_MEMBER, service_user_uuid=secret.user)
    assert _refused(rules.check_may_ask_for, secret, sub) == (role in MEMBER_RANK - {UserRole.SERVICE_MEMBER})
    anothers = _user(UserRole.SUB_MEMBER, service_user_uuid=uuid4())
    assert _refused(rules.check_may_ask_for, secret, anothers) == (role in MEMBER_RANK)


def test_a_secret_stands_behind_its_own_user_and_their_sub_members() -> None:
    sub = _user(UserRole.SUB_MEMBER, service_user_uuid=uuid4())
    assert all(rules.is_still_theirs(bound_to, sub) for bound_to in (None, sub.user_uuid, sub.service_user_uuid))
    assert not rules.is_still_theirs(uuid4(), sub)
    assert not rules.is_still_theirs(uuid4(), _user(UserRole.MEMBER))


@pytest.mark.parametrize("secret", list(UserRole))
@pytest.mark.parametrize("user", list(UserRole))
def test_a_secret_mints_up_to_its_own_rank(secret: UserRole, user: UserRole) -> None:
    above = Role(user).rank > Role(secret).rank
    assert _refused(rules.check_not_above, Role(secret), user) == above


@pytest.mark.parametrize("caller", list(UserRole))
@pytest.mark.parametrize("role", list(UserRole))
def test_a_role_creates_secrets_below_itself_and_an_owner_also_its_like(caller: UserRole, role: UserRole) -> None:
    request = CreateSecret(role=role, user_uuid=uuid4() if role in MEMBER_RANK else None)
    may = Role(caller).rank > Role(role).rank or caller is role is UserRole.OWNER
    assert _refused(rules.check_may_create_secret, Role(caller), request) == (not may)


@pytest.mark.parametrize("role", list(UserRole))
def test_exactly_the_secrets_of_member_rank_name_a_user(role: UserRole) -> None:
    wrong = CreateSecret(role=role, user_uuid=None if role in MEMBER_RANK else uuid4())
    with pytest.raises(InvalidInput, match="user_uuid"):
        rules.check_may_create_secret(Role.OWNER, wrong)


def test_without_a_key_one_is_due_and_with_a_young_one_none() -> None:
    no_keys: list[Key] = []
    assert lifetimes.is_key_due(no_keys, NOW, MONTH)
    assert not lifetimes.is_key_due([Key(NOW)], NOW, MONTH)


def test_a_key_is_due_early_enough_to_be_known_before_it_signs() -> None:
    aged = [Key(NOW - MONTH + lifetimes.KEY_LEAD)]
    assert lifetimes.is_key_due(aged, NOW, MONTH)
    assert not lifetimes.is_key_due(aged, NOW - timedelta(seconds=1), MONTH)


def test_a_key_signs_when_it_is_published_and_its_time_has_come() -> None:
    old, coming, unpublished = Key(NOW - MONTH), Key(NOW + lifetimes.KEY_LEAD), Key(NOW, published_at=None)
    keys = [coming, unpublished, old]
    assert lifetimes.signing_key(keys, NOW) is old
    assert lifetimes.signing_key(keys, NOW + lifetimes.KEY_LEAD) is coming
    assert lifetimes.signing_key([unpublished], NOW) is None


def test_a_key_goes_when_its_successor_has_signed_for_longer_than_a_refresh_token_lives() -> None:
    refresh = timedelta(seconds=lifetimes.REFRESH)
    first, second = Key(NOW - refresh - MONTH), Key(NOW - refresh)
    assert lifetimes.spent_keys([first, second], NOW) == []
    assert lifetimes.spent_keys([first, second], NOW + lifetimes.KEY_LEAD) == [first]
    assert lifetimes.spent_keys([first], NOW + 10 * refresh) == []


def test_revocations_are_kept_for_longer_than_the_tokens_that_are_not_looked_up() -> None:
    longest = max(lifetimes.ACCESS, lifetimes.CLIENT_SECRET, lifetimes.DELEGATED)
    assert timedelta(seconds=longest) < lifetimes.REVOCATIONS_KEPT
