"""Who verifies, who takes back, who gets what: every role against every other."""

import pytest

from basejump_chat_agent.domain.verified.rights import may_get_unverified, may_unverify, verifies
from basejump_common.security.principal import Role

MEMBERS = (Role.MEMBER, Role.SERVICE_MEMBER, Role.SUB_MEMBER)
LADDER = (MEMBERS, (Role.ADMIN,), (Role.OWNER,), (Role.INTERNAL,))
STEPS = [(role, step) for step, roles in enumerate(LADDER) for role in roles]


@pytest.mark.parametrize(("caller", "height"), STEPS)
@pytest.mark.parametrize(("verified_as", "before"), STEPS)
def test_a_role_promotes_what_a_lower_one_verified_and_takes_back_what_its_own_did(
    caller: Role, height: int, verified_as: Role, before: int
) -> None:
    assert verifies(caller, verified_as) is (height > before)
    assert may_unverify(caller, verified_as) is (height >= before)


@pytest.mark.parametrize(("caller", "height"), STEPS)
def test_every_role_verifies_what_nobody_has_and_of_a_strict_client_admins_get_the_rest(
    caller: Role, height: int
) -> None:
    assert verifies(caller, None)
    assert may_get_unverified(caller, strict=False)
    assert may_get_unverified(caller, strict=True) is (height > 0)
