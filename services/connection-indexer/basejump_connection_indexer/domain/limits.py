"""What a statement may take: the installation's limits, narrowed by the client's."""

from typing import TypeVar

import msgspec

from basejump_common.contracts.client_settings import ClientSettings, OverBudget
from basejump_common.contracts.connection import Estimate, Excess
from basejump_common.errors import EstimateTooHigh

Number = TypeVar("Number", int, float)

APPROVAL_SLACK = 1.2
"""An approval covers a little more than what the person was told: estimates move with the data's statistics."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for the whole statement; a result that reaches `rows` is cut there, one beyond `bytes` is an error.

    `estimate` bounds what the database expects of a statement before it runs; `per_client` and `per_database` bound
    how many run at once over all replicas.
    """

    seconds: float
    rows: int
    bytes: int
    estimate: Estimate
    per_client: int
    per_database: int

    def within(self, settings: ClientSettings) -> "Limits":
        """These, or what the client has set where that is less."""
        return Limits(
            seconds=_less(self.seconds, settings.statement_seconds),
            rows=_less(self.rows, settings.result_rows),
            bytes=_less(self.bytes, settings.result_bytes),
            estimate=Estimate(
                rows=_less(self.estimate.rows, settings.estimated_rows),
                cost=settings.estimated_cost
                if self.estimate.cost is None
                else _less(self.estimate.cost, settings.estimated_cost),
            ),
            per_client=_less(self.per_client, settings.statements_at_once),
            per_database=self.per_database,
        )


def check_estimate(
    estimate: Estimate, installation: Limits, settings: ClientSettings, approved: Estimate | None
) -> None:
    """Raises EstimateTooHigh. A person may approve what only the client's own limit forbids, if the client says so."""
    own = installation.within(settings).estimate
    if _fits(estimate, own):
        return
    if not _fits(estimate, installation.estimate):
        raise _too_high(estimate, installation.estimate, may_approve=False)
    may_approve = settings.over_budget is OverBudget.ASK
    if not (may_approve and approved is not None and _fits(estimate, approved, APPROVAL_SLACK)):
        raise _too_high(estimate, own, may_approve=may_approve)


def _fits(estimate: Estimate, limit: Estimate, slack: float = 1.0) -> bool:
    dear = estimate.cost is not None and limit.cost is not None and estimate.cost > limit.cost * slack
    return estimate.rows <= limit.rows * slack and not dear


def _too_high(estimate: Estimate, limit: Estimate, *, may_approve: bool) -> EstimateTooHigh:
    if estimate.rows > limit.rows:
        what = f"read about {estimate.rows:,} rows; the limit is {limit.rows:,}"
    else:
        what = f"cost about {estimate.cost:,.0f} in the database's own units; the limit is {limit.cost:,.0f}"
    excess = Excess(estimate=estimate, limit=limit, may_approve=may_approve)
    return EstimateTooHigh(f"the statement would {what}", details=msgspec.to_builtins(excess))


def _less(limit: Number, wish: Number | None) -> Number:
    return limit if wish is None else min(limit, wish)
