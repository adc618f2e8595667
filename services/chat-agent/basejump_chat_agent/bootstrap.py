"""Where chat-agent is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from basejump_chat_agent import verifying
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.adapters.embeddings import Embeddings
from basejump_chat_agent.adapters.index_news import IndexNews
from basejump_chat_agent.adapters.indexer import Indexer
from basejump_chat_agent.adapters.webhook_sender import WebhookSender
from basejump_chat_agent.adapters.webhook_vault import WebhookVault
from basejump_chat_agent.answerers import Answerers
from basejump_chat_agent.answering import ANSWER, Answering
from basejump_chat_agent.asking import Messages
from basejump_chat_agent.charting import Charting
from basejump_chat_agent.chats import Chats
from basejump_chat_agent.clients import Clients
from basejump_chat_agent.comparing import Comparing
from basejump_chat_agent.delivering import Delivering, Patience
from basejump_chat_agent.domain.prompt import AnswerPrompt
from basejump_chat_agent.domain.webhooks import Policy
from basejump_chat_agent.downloads import Downloads
from basejump_chat_agent.endings import ANNOUNCE, Announcement, Announcing
from basejump_chat_agent.expiring import EXPIRE, Expiring, connection_deleted
from basejump_chat_agent.forgetting import FORGET, Forgetting
from basejump_chat_agent.handlers import handlers, handlers_of_results
from basejump_chat_agent.refreshing import Refreshing
from basejump_chat_agent.results import Results
from basejump_chat_agent.retrieving import Retrieving
from basejump_chat_agent.saving import Saving
from basejump_chat_agent.settings import Settings
from basejump_chat_agent.stopping import Stopping
from basejump_chat_agent.streams import Streams
from basejump_chat_agent.webhooks import Webhooks
from basejump_common.bus import Endpoint, on
from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.contracts.account import TEAM_DELETED, USER_DELETED
from basejump_common.contracts.connection import (
    CONNECTION_DELETED,
    DATABASE_INDEX_FAILED,
    DATABASE_INDEXED,
    SCHEMA_DRIFTED,
    TABLE_DESCRIBED,
)
from basejump_common.runtime import Base, Service, foundation
from basejump_common.storage.job_worker import JobWorker
from basejump_common.storage.jobs import AnyKind, JobKind


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Service]:
    """The service, ready to serve for as long as the block lasts."""
    async with foundation(settings, "chat-agent") as base:
        news = IndexNews()
        stream = ChatStream(base.bus, settings.patience_seconds)
        answerers = Answerers(settings, SettingsOfClients(base.bus))
        vault = WebhookVault(base.envelope)
        policy = Policy(plain_http=settings.webhook_plain_http, private_hosts=settings.webhook_private_hosts)
        webhooks = Webhooks(base.database, vault, policy)
        chats = Chats(base.database, base.bus, Stopping(base.bus, stream))
        clients = Clients(base.database, stream)
        embeddings = Embeddings(settings)
        worker = _worker(base, settings, stream, news, answerers, embeddings)
        results = Results(base.database, base.bus)
        yield base.service(
            endpoints=(
                *handlers(
                    chats,
                    Messages(base.database, answerers, webhooks, stream, worker, results),
                    Streams(base.database),
                    webhooks,
                    clients,
                ),
                *_results(base, settings, results),
            ),
            reactions=(
                on(DATABASE_INDEXED, news.tell),
                on(DATABASE_INDEX_FAILED, news.tell),
                on(SCHEMA_DRIFTED, verifying.schema_drifted),
                on(TABLE_DESCRIBED, verifying.table_described),
                on(USER_DELETED, clients.user_deleted),
                on(TEAM_DELETED, clients.team_deleted),
                on(CONNECTION_DELETED, connection_deleted),
            ),
            background=(
                worker.run,
                _sending_worker(base, settings, vault, policy).run,
                _tidying_worker(base, settings).run,
                answerers.warm_up,
                embeddings.warm_up,
            ),
        )


def _results(base: Base, settings: Settings, results: Results) -> tuple[Endpoint[Any, Any], ...]:
    charting = Charting(Indexer(base.bus, settings.patience_seconds))
    return handlers_of_results(
        results,
        Refreshing(base.database, base.bus, results, charting),
        Downloads(results, base.bus),
        Comparing(results, base.bus),
        Saving(base.database, base.bus, results),
    )


def _worker(
    base: Base,
    settings: Settings,
    stream: ChatStream,
    news: IndexNews,
    answerers: Answerers,
    embeddings: Embeddings,
) -> JobWorker:
    indexer = Indexer(base.bus, settings.patience_seconds)
    retrieving = Retrieving(indexer, stream, news, settings.index_wait_seconds)
    answering = Answering(base.database, indexer, retrieving, answerers, embeddings, stream)
    return JobWorker(
        base.database,
        {
            ANSWER: JobKind(answering.answer, AnswerPrompt, on_failure=answering.give_up),
            ANNOUNCE: JobKind(Announcing(stream).announce, Announcement),
        },
        concurrency=settings.prompts_at_once,
        per_client=settings.prompts_per_client,
    )


def _sending_worker(base: Base, settings: Settings, vault: WebhookVault, policy: Policy) -> JobWorker:
    """A worker of its own: slow receivers take no place from questions."""
    sender = WebhookSender(policy, settings.webhook_seconds, settings.webhooks_at_once, settings.webhook_ca_file)
    patience = Patience(first_retry=settings.webhook_retry_seconds, give_up=settings.webhook_give_up_seconds)
    return JobWorker(
        base.database,
        Delivering(base.database, vault, sender, patience).kinds(),
        concurrency=settings.webhooks_at_once,
        per_client=settings.webhooks_per_client,
    )


def _tidying_worker(base: Base, settings: Settings) -> JobWorker:
    """What nobody waits for."""
    expiring = Expiring(base.database, SettingsOfClients(base.bus), settings.result_days)
    kinds: dict[str, AnyKind] = {FORGET: Forgetting(base.database, base.bus).kind(), EXPIRE: expiring.kind()}
    return JobWorker(base.database, kinds, concurrency=4)
