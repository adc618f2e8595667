"""Statements that take more than the client's limit: what the person is asked, and what the answer allows."""

from basejump_chat_agent.domain.answerer import AskedBack, Option
from basejump_chat_agent.domain.picking import NO, YES, says
from basejump_common.contracts.chat import Clarification
from basejump_common.contracts.connection import Estimate, Excess


def approval(excess: Excess) -> AskedBack:
    """May it run all the same? The numbers go with the question, so that the answer covers no more than them."""
    estimate, limit = excess.estimate, excess.limit
    if estimate.rows > limit.rows:
        takes, allowed = f"read about {estimate.rows:,} rows", f"the {limit.rows:,}"
    else:
        takes, allowed = f"cost the database about {estimate.cost:,.0f} of its own units", f"the {limit.cost:,.0f}"
    return AskedBack(
        question=f"That would {takes}, more than {allowed} that are allowed without asking. Shall I run it?",
        options=(Option(label=YES, change=f"It would {takes}."), Option(label=NO, change="It isn't run.")),
        excess=excess,
    )


def approved(asked: Clarification | None, said: str) -> Estimate | None:
    """What the person has allowed by saying this; None when nothing was to be allowed, or it isn't a plain yes."""
    if asked is None or asked.excess is None or not says(said, YES) or says(said, NO):
        return None
    return asked.excess.estimate


def refused(asked: Clarification | None, said: str) -> bool:
    """Whether the person said that it shall not run."""
    return asked is not None and asked.excess is not None and says(said, NO) and not says(said, YES)
