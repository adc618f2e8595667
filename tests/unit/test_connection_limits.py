"""The installation's limits and the client's: the lesser holds; what a person may approve."""

import pytest

from basejump_common.contracts.client_settings import ClientSettings, OverBudget
from basejump_common.contracts.connection import Estimate
from basejump_common.errors import EstimateTooHigh
from basejump_connection_indexer.domain.limits import Limits, check_estimate

INSTALLATION = Limits(
    seconds=60.0,
    rows=1_000,
    bytes=10_000,
    estimate=Estimate(rows=1_000_000, cost=5_000.0),
    per_client=10,
    per_database=5,
)


def test_what_a_client_has_not_set_is_the_installations() -> None:
    assert INSTALLATION.within(ClientSettings()) == INSTALLATION


def test_the_lesser_of_both_limits_holds() -> None:
    wishes = ClientSettings(
        statement_seconds=5,
        result_rows=2_000,
        result_bytes=5_000,
        estimated_rows=10,
        estimated_cost=9_000,
        statements_at_once=20,
    )
    limits = INSTALLATION.within(wishes)
    assert (limits.seconds, limits.rows, limits.bytes) == (5, 1_000, 5_000)
    assert limits.estimate == Estimate(rows=10, cost=5_000)
    assert (limits.per_client, limits.per_database) == (10, 5)


ASKS = ClientSettings(estimated_rows=100, over_budget=OverBudget.ASK)
REFUSES = ClientSettings(estimated_rows=100)


@pytest.mark.parametrize(
    ("rows", "settings", "approved", "may_run"),
    [
        (100, REFUSES, None, True),
        (101, REFUSES, None, False),
        (101, REFUSES, 200, False),
        (101, ASKS, None, False),
        (200, ASKS, 200, True),
        (230, ASKS, 200, True),
        (250, ASKS, 200, False),
        (1_000_001, ASKS, 2_000_000, False),
        (1_000_000, ClientSettings(over_budget=OverBudget.ASK), None, True),
    ],
)
def test_a_person_may_approve_what_the_client_forbids_and_the_installation_does_not(
    rows: int, settings: ClientSettings, approved: int | None, may_run: bool
) -> None:
    told = None if approved is None else Estimate(rows=approved)
    if may_run:
        check_estimate(Estimate(rows=rows), INSTALLATION, settings, told)
    else:
        with pytest.raises(EstimateTooHigh) as raised:
            check_estimate(Estimate(rows=rows), INSTALLATION, settings, told)
        assert raised.value.details["may_approve"] is (settings is ASKS and rows <= 1_000_000)


def test_a_database_that_tells_no_cost_is_limited_by_rows_alone() -> None:
    check_estimate(Estimate(rows=5), INSTALLATION, ClientSettings(estimated_cost=1), None)
    with pytest.raises(EstimateTooHigh, match="cost about 2 in the database's own units; the limit is 1"):
        check_estimate(Estimate(rows=5, cost=2), INSTALLATION, ClientSettings(estimated_cost=1), None)
