"""What questions took, as an ADMIN of the client reads it: by day, user and model."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from basejump_common.bus import Bus
from basejump_common.contracts.usage import LIST_USAGE, ListUsage, UsageOfDay, UsagePage
from basejump_common.errors import Forbidden, InvalidInput
from basejump_common.security.principal import Role
from basejump_common.security.tokens import Signer
from basejump_common.storage.database import Database
from chatting import Person, person
from installation import Installation

DAY = date(2030, 3, 10)
TOOK = """
    insert into usage (prompt_uuid, client_uuid, user_uuid, day, planner, model, model_calls, input_tokens,
                       output_tokens, cost, database_seconds)
    values ($1, $2, $3, $4, $5, $6, 2, 100, 10, 0.25, 0.5)
"""


@pytest.fixture(scope="module")
async def gateway(installation: Installation, signer: Signer) -> AsyncIterator[Bus]:
    async with installation.running("chat-agent"), installation.bus("gateway") as bus:
        yield bus


@pytest.fixture(scope="module")
async def database(installation: Installation) -> AsyncIterator[Database]:
    async with installation.storage("chat-agent") as opened:
        yield opened


@pytest.fixture
def admin(signer: Signer) -> Person:
    return person(signer, Role.ADMIN)


async def took(database: Database, of: Person, day: date, model: str = "", user_uuid: UUID | None = None) -> UUID:
    """Keep a question of a user; whose it was."""
    user_uuid = user_uuid or uuid4()
    planner = "language model" if model else "built-in"
    async with database.tenant(of.client_uuid) as tx:
        await tx.execute(TOOK, uuid4(), of.client_uuid, user_uuid, day, planner, model)
    return user_uuid


async def listed(gateway: Bus, admin: Person, **asked: Any) -> UsagePage:
    return await gateway.call(LIST_USAGE, ListUsage(**({"from_day": DAY, "to_day": DAY} | asked)), admin.context)


async def test_questions_of_a_day_are_summed_by_user_and_model(gateway: Bus, database: Database, admin: Person) -> None:
    ann = await took(database, admin, DAY, "openai:large")
    await took(database, admin, DAY, "openai:large", ann)
    await took(database, admin, DAY, "", ann)
    bo = await took(database, admin, DAY, "openai:large")
    found = {(one.user_uuid, one.model): one for one in (await listed(gateway, admin)).data}
    assert set(found) == {(ann, "openai:large"), (ann, "built-in"), (bo, "openai:large")}
    assert found[ann, "openai:large"] == UsageOfDay(
        day=DAY,
        user_uuid=ann,
        model="openai:large",
        questions=2,
        model_calls=4,
        input_tokens=200,
        output_tokens=20,
        cost=0.5,
        database_seconds=1.0,
    )


async def test_pages_hold_every_row_once_newest_day_first(gateway: Bus, database: Database, admin: Person) -> None:
    for number in range(7):
        await took(database, admin, DAY + timedelta(days=number // 3), f"openai:model-{number}")
    rows, cursor = list[UsageOfDay](), None
    for expected in (2, 2, 2, 1):
        page = await listed(gateway, admin, to_day=DAY + timedelta(days=9), limit=2, cursor=cursor)
        assert len(page.data) == expected
        rows, cursor = [*rows, *page.data], page.next_cursor
    assert cursor is None
    assert sorted(str(row.model) for row in rows) == [f"openai:model-{number}" for number in range(7)]
    assert [row.day for row in rows] == sorted((row.day for row in rows), reverse=True)


async def test_both_days_are_included_and_without_any_it_is_the_last_thirty(
    gateway: Bus, database: Database, admin: Person
) -> None:
    today = datetime.now(UTC).date()
    for back in (0, 29, 30):
        await took(database, admin, today - timedelta(days=back))
    usual = await gateway.call(LIST_USAGE, ListUsage(), admin.context)
    assert [row.day for row in usual.data] == [today, today - timedelta(days=29)]
    one_day = await listed(gateway, admin, from_day=today, to_day=today)
    assert [row.day for row in one_day.data] == [today]
    assert (await listed(gateway, admin, from_day=None, to_day=date.min)).data == ()
    assert (await listed(gateway, admin, from_day=date.max, to_day=date.max)).data == ()


@pytest.mark.parametrize("days", [-1, 366])
async def test_a_range_is_no_longer_than_a_year_and_runs_forward(gateway: Bus, admin: Person, days: int) -> None:
    with pytest.raises(InvalidInput, match="from_day"):
        await listed(gateway, admin, to_day=DAY + timedelta(days=days))
    assert (await listed(gateway, admin, to_day=DAY + timedelta(days=365))).data == ()


async def test_usage_is_an_admins_and_of_their_own_client(
    gateway: Bus, database: Database, admin: Person, signer: Signer
) -> None:
    await took(database, admin, DAY)
    with pytest.raises(Forbidden):
        await listed(gateway, person(signer, Role.MEMBER, admin.client_uuid))
    assert len((await listed(gateway, person(signer, Role.OWNER, admin.client_uuid))).data) == 1
    assert (await listed(gateway, person(signer, Role.ADMIN))).data == ()
