"""Sends webhooks: one job is one attempt, which ends with the job of the next one, for a day."""

import logging
import random
import time
from datetime import UTC, datetime, timedelta

import msgspec

from basejump_chat_agent.adapters import webhook_rows
from basejump_chat_agent.adapters.webhook_rows import DueDelivery, Outcome
from basejump_chat_agent.adapters.webhook_sender import NotSent, WebhookSender
from basejump_chat_agent.adapters.webhook_vault import WebhookVault
from basejump_chat_agent.domain.webhooks import GONE, failure, pause, signed_headers
from basejump_chat_agent.webhooks import DELIVER, Deliver
from basejump_common.contracts.webhook import DeliveryState
from basejump_common.security.secret import Secret
from basejump_common.storage import jobs
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import Job, JobKind

log = logging.getLogger(__name__)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds until the second attempt, and until it is given up."""

    first_retry: float
    give_up: float


class Delivering:
    """Carries out `deliver-webhook` jobs. A receiver may get a webhook twice, under the same `webhook-id`."""

    def __init__(self, database: Database, vault: WebhookVault, sender: WebhookSender, patience: Patience) -> None:
        self._database = database
        self._vault = vault
        self._sender = sender
        self._patience = patience

    def kinds(self) -> dict[str, JobKind[Deliver]]:
        """What a worker needs."""
        return {DELIVER: JobKind(self.deliver, Deliver, on_failure=self.give_up)}

    async def deliver(self, job: Job[Deliver]) -> None:
        """One attempt, noted; the next one is enqueued in the same commit."""
        async with self._database.tenant(job.client_uuid) as tx:
            due = await webhook_rows.due(tx, job.payload.delivery_uuid, job.payload.round)
            sealed = await webhook_rows.signing(tx)
        if due is None:
            return
        signing = [self._vault.open_secret(job.client_uuid, one.webhook_secret_uuid, one.sealed) for one in sealed]
        outcome = self._judged(due, *await self._attempt(due, signing))
        log.info("webhook %s: %s", due.delivery_uuid, outcome.error or "delivered")
        async with self._database.tenant(job.client_uuid) as tx:
            await job.finish(tx)
            await webhook_rows.note(tx, due.delivery_uuid, due.round, outcome)
            if outcome.pause is not None:
                run_after = datetime.now(UTC) + outcome.pause
                await jobs.enqueue(tx, DELIVER, job.payload, job.client_uuid, run_after=run_after)

    async def give_up(self, tx: Transaction, job: Job[Deliver], error: str) -> None:
        """For what can only be a defect of ours, or a master key that is no longer configured."""
        outcome = Outcome(state=DeliveryState.FAILED, error=error)
        await webhook_rows.note(tx, job.payload.delivery_uuid, job.payload.round, outcome)

    async def _attempt(self, due: DueDelivery, signing: list[Secret]) -> tuple[int | None, str | None]:
        """The status that was answered, and what is wrong with the attempt."""
        if not signing:
            return None, "the client has no webhook secret to sign with"
        body = due.body.encode()
        headers = signed_headers(body, str(due.delivery_uuid), int(time.time()), signing)
        target = self._vault.open_target(due.client_uuid, due.delivery_uuid, due.target)
        try:
            status = await self._sender.send(target, headers, body)
        except NotSent as error:
            return None, str(error)
        return status, failure(status)

    def _judged(self, due: DueDelivery, status: int | None, error: str | None) -> Outcome:
        if error is None:
            return Outcome(state=DeliveryState.DELIVERED, status=status)
        chance = random.random()  # noqa: S311 - no secret
        next_in = timedelta(seconds=pause(self._patience.first_retry, due.attempts + 1, chance))
        give_up_at = due.due_at + timedelta(seconds=self._patience.give_up)
        if status == GONE or datetime.now(UTC) + next_in > give_up_at:
            return Outcome(state=DeliveryState.FAILED, status=status, error=error)
        return Outcome(state=DeliveryState.QUEUED, status=status, error=error, pause=next_in)
