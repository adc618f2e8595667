"""What chat-agent answers: the table of contents of the service."""

from typing import Any

from basejump_chat_agent.asking import Messages
from basejump_chat_agent.chats import Chats
from basejump_chat_agent.clients import Clients
from basejump_chat_agent.comparing import Comparing
from basejump_chat_agent.downloads import Downloads
from basejump_chat_agent.refreshing import Refreshing
from basejump_chat_agent.results import Results
from basejump_chat_agent.saving import Saving
from basejump_chat_agent.streams import Streams
from basejump_chat_agent.webhooks import Webhooks
from basejump_common.bus import Endpoint, handle
from basejump_common.contracts import chat, result, usage, webhook


def handlers(
    chats: Chats, messages: Messages, streams: Streams, webhooks: Webhooks, clients: Clients
) -> tuple[Endpoint[Any, Any], ...]:
    """Operation to function."""
    return (
        handle(chat.CREATE_CHAT, chats.create),
        handle(chat.LIST_CHATS, chats.list),
        handle(chat.GET_CHAT, chats.get),
        handle(chat.UPDATE_CHAT, chats.update),
        handle(chat.DELETE_CHAT, chats.delete),
        handle(chat.STOP_CHAT, chats.stop),
        handle(chat.ASK, messages.ask),
        handle(chat.LIST_MESSAGES, messages.list),
        handle(chat.GET_MESSAGE, messages.get),
        handle(chat.LIST_AWAITING, messages.awaiting),
        handle(chat.JUDGE_MESSAGE, messages.judge),
        handle(chat.OPEN_STREAM, streams.open),
        handle(chat.CREATE_STREAM_TICKET, streams.create_ticket),
        handle(chat.REDEEM_STREAM_TICKET, streams.redeem_ticket),
        handle(webhook.CREATE_SECRET, webhooks.create_secret),
        handle(webhook.LIST_SECRETS, webhooks.list_secrets),
        handle(webhook.DELETE_SECRET, webhooks.delete_secret),
        handle(webhook.LIST_DELIVERIES, webhooks.list),
        handle(webhook.REDELIVER, webhooks.redeliver),
        handle(usage.LIST_USAGE, clients.usage),
        handle(chat.ERASE_CLIENT, clients.erase),
    )


def handlers_of_results(
    results: Results, refreshing: Refreshing, downloads: Downloads, comparing: Comparing, saving: Saving
) -> tuple[Endpoint[Any, Any], ...]:
    """What is kept of answers."""
    return (
        handle(result.LIST_RESULTS, results.list),
        handle(result.GET_RESULT, results.get),
        handle(result.MANY_RESULTS, results.many),
        handle(result.UPDATE_RESULT, results.update),
        handle(result.DELETE_RESULT, results.delete),
        handle(result.REFRESH_RESULT, refreshing.refresh),
        handle(result.DOWNLOAD_CSV, downloads.csv),
        handle(result.DOWNLOAD_PARQUET, downloads.parquet),
        handle(result.COMPARE_RESULTS, comparing.compare),
        handle(result.SAVE_RESULT, saving.save),
        handle(result.SEARCH_SAVED, saving.search),
        handle(result.GET_SAVED, saving.get),
        handle(result.UPDATE_SAVED, saving.update),
        handle(result.DELETE_SAVED, saving.delete),
    )
