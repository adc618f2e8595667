"""The table of contents: which path carries which operation.

A parameter in the path is a field of the operation's request; so is a query parameter; what is left comes in the JSON
body. A GET takes all its other fields from the query. Paths are spelled with dashes here and accepted with
underscores as well.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from basejump_common.contracts import account, auth, chat, connection, result, storage, usage, webhook
from basejump_common.contracts.operation import Operation

GET: Literal["GET"] = "GET"
POST: Literal["POST"] = "POST"
PUT: Literal["PUT"] = "PUT"
DELETE: Literal["DELETE"] = "DELETE"
Method = Literal["GET", "POST", "PUT", "DELETE"]

PREFIX = "/api/v1"
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API.

    `query` names the fields that are query parameters. `chosen` names fields that the gateway fills in itself and no
    caller may send. `waits`: the reply is a prompt's first message, and the call may wait for its final one, or
    stream all of them. `streams`: the answer is a stream of messages; the reply says who may read it. `media_type`: the
    answer is a file of this type; the reply says where its bytes are. `csv` names the field that a body in CSV is.
    """

    method: Method
    path: str
    operation: Operation[Any, Any]
    summary: str
    query: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    waits: bool = False
    streams: bool = False
    media_type: str = ""
    csv: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The fields in the path, in its order."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that a caller may send."""
        return tuple(f.name for f in msgspec.structs.fields(self.operation.takes) if f.name not in self.chosen)

    @property
    def queried(self) -> tuple[str, ...]:
        """The fields that are query parameters."""
        return self.query if self.method != GET else self._without(self.parameters)

    @property
    def sent(self) -> tuple[str, ...]:
        """The fields that come in the JSON body."""
        return self._without((*self.parameters, *self.queried))

    def _without(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name not in names)


_USER = ("username", "role", "email_address", "email", "service_user_uuid")

AUTH = (
    Route(POST, "/auth/token/", auth.CREATE_REFRESH_TOKEN, "Create a refresh token", query=("user_uuid",)),
    Route(DELETE, "/auth/token/", auth.REVOKE_TOKENS, "Revoke the caller's refresh tokens"),
    Route(POST, "/auth/access-token/", auth.CREATE_ACCESS_TOKEN, "Create an access token", query=("user_uuid",)),
    Route(GET, "/auth/jwks/", auth.GET_JWKS, "Get the keys that verify tokens"),
)

ACCOUNT = (
    Route(POST, "/account/client/", account.CREATE_CLIENT, "Create a client"),
    Route(GET, "/account/client/", account.GET_CLIENT, "Get the caller's client"),
    Route(PUT, "/account/client/settings/", account.UPDATE_CLIENT_SETTINGS, "Change the client's settings"),
    Route(
        PUT,
        "/account/client/verify-mode/",
        account.UPDATE_VERIFY_MODE,
        "Choose whether members get verified answers alone",
        query=("verify_mode",),
    ),
    Route(PUT, "/account/client/{client_uuid}/", account.UPDATE_CLIENT, "Change, suspend or resume a client"),
    Route(DELETE, "/account/client/{client_uuid}/", account.DELETE_CLIENT, "Delete a client and all its data"),
    Route(GET, "/account/client/list/", account.LIST_CLIENTS, "List clients"),
    Route(GET, "/account/client/usage/", usage.LIST_USAGE, "List what questions took by day, user and model"),
    Route(POST, "/account/client/secret/", auth.CREATE_SECRET, "Create a client secret"),
    Route(GET, "/account/client/secret/", auth.LIST_SECRETS, "List client secrets"),
    Route(DELETE, "/account/client/secret/{client_secret_uuid}/", auth.DELETE_SECRET, "Revoke a client secret"),
    Route(POST, "/account/client/webhook-secret/", webhook.CREATE_SECRET, "Create or rotate the webhook secret"),
    Route(GET, "/account/client/webhook-secret/", webhook.LIST_SECRETS, "List the webhook secrets that sign"),
    Route(
        DELETE,
        "/account/client/webhook-secret/{webhook_secret_uuid}/",
        webhook.DELETE_SECRET,
        "End a webhook secret at once",
    ),
    Route(POST, "/account/user/", account.CREATE_USER, "Create a user", query=_USER),
    Route(GET, "/account/user/", account.LIST_USERS, "List users"),
    Route(GET, "/account/user/{user_uuid}/", account.GET_USER, "Get a user"),
    Route(PUT, "/account/user/{user_uuid}/", account.UPDATE_USER, "Change a user", query=_USER),
    Route(DELETE, "/account/user/{user_uuid}/", account.DELETE_USER, "Delete a user"),
    Route(GET, "/account/user/{user_uuid}/team/", account.LIST_USER_TEAMS, "List a user's teams"),
    Route(POST, "/account/user/{user_uuid}/team/{team_uuid}/", account.ADD_MEMBER, "Add a user to a team"),
    Route(DELETE, "/account/user/{user_uuid}/team/{team_uuid}/", account.REMOVE_MEMBER, "Remove a user from a team"),
    Route(POST, "/account/team/", account.CREATE_TEAM, "Create a team", query=("team_name", "team_desc")),
    Route(GET, "/account/team/", account.LIST_TEAMS, "List teams"),
    Route(GET, "/account/team/{team_uuid}/", account.GET_TEAM, "Get a team"),
    Route(
        PUT,
        "/account/team/{team_uuid}/",
        account.UPDATE_TEAM,
        "Change a team",
        query=("team_name", "team_desc"),
    ),
    Route(DELETE, "/account/team/{team_uuid}/", account.DELETE_TEAM, "Delete a team"),
    Route(GET, "/account/team/{team_uuid}/user/", account.LIST_TEAM_USERS, "List a team's users"),
)

CONNECTION = (
    Route(POST, "/connection/database/", connection.CREATE_DATABASE, "Add a database and index it"),
    Route(POST, "/connection/database/test/", connection.TEST_DATABASE, "Test a database, store nothing"),
    Route(GET, "/connection/database/", connection.LIST_DATABASES, "List databases"),
    Route(GET, "/connection/database/{db_uuid}/", connection.GET_DATABASE, "Get a database"),
    Route(PUT, "/connection/database/{db_uuid}/", connection.UPDATE_DATABASE, "Change a database and index it again"),
    Route(DELETE, "/connection/database/{db_uuid}/", connection.DELETE_DATABASE, "Delete a database"),
    Route(GET, "/connection/database/{db_uuid}/index-status/", connection.INDEX_STATUS, "Get the state of indexing"),
    Route(GET, "/connection/database/{db_uuid}/table/", connection.LIST_TABLES, "List indexed tables"),
    Route(
        GET,
        "/connection/database/{db_uuid}/mermaidjs/erd/",
        connection.DRAW_DATABASE,
        "Draw tables and the keys between them",
    ),
    Route(GET, "/connection/database/{db_uuid}/connection/", connection.LIST_CONNECTIONS, "List connections"),
    Route(POST, "/connection/database/{db_uuid}/connection/", connection.CREATE_CONNECTION, "Add a connection"),
    Route(
        POST,
        "/connection/database/{db_uuid}/connection/bulk/",
        connection.IMPORT_CONNECTIONS,
        "Add many connections from CSV",
        query=("accept_risky_role",),
        csv="csv",
    ),
    Route(GET, "/connection/table/{tbl_uuid}/", connection.GET_TABLE, "Get an indexed table"),
    Route(PUT, "/connection/table/{tbl_uuid}/", connection.UPDATE_TABLE, "Write about a table"),
    Route(PUT, "/connection/table/{tbl_uuid}/column/", connection.UPDATE_COLUMNS, "Write about a table's columns"),
    Route(GET, "/connection/table/{tbl_uuid}/changes/", connection.LIST_TABLE_CHANGES, "List what was written"),
    Route(GET, "/connection/team/{team_uuid}/", connection.LIST_TEAM_CONNECTIONS, "List what a team may query"),
    Route(GET, "/connection/{conn_uuid}/", connection.GET_CONNECTION, "Get a connection"),
    Route(PUT, "/connection/{conn_uuid}/", connection.UPDATE_CONNECTION, "Change a connection"),
    Route(DELETE, "/connection/{conn_uuid}/", connection.DELETE_CONNECTION, "Delete a connection"),
    Route(POST, "/connection/{conn_uuid}/team/", connection.GRANT_TEAMS, "Grant a connection to teams"),
    Route(GET, "/connection/{conn_uuid}/team/", connection.LIST_GRANTS, "List a connection's teams"),
    Route(
        DELETE, "/connection/{conn_uuid}/team/{team_uuid}/", connection.REVOKE_GRANT, "Take a connection from a team"
    ),
)

STORAGE = (
    Route(POST, "/connection/storage/", storage.CREATE_STORAGE, "Add a bucket of your own for results"),
    Route(
        GET, "/connection/storage/", storage.GET_STORAGE_IN_USE, "Get the bucket of one's own that results are kept in"
    ),
    Route(GET, "/connection/storage/list/", storage.LIST_STORAGES, "List buckets"),
    Route(GET, "/connection/storage/migration-status/", storage.MIGRATION_STATUS, "Get how far results have moved"),
    Route(GET, "/connection/storage/{storage_uuid}/", storage.GET_STORAGE, "Get a bucket"),
    Route(PUT, "/connection/storage/{storage_uuid}/", storage.UPDATE_STORAGE, "Replace what is said of a bucket"),
    Route(
        DELETE, "/connection/storage/{storage_uuid}/", storage.DELETE_STORAGE, "Delete a bucket that holds no results"
    ),
    Route(
        PUT,
        "/connection/storage/activate/{storage_uuid}/",
        storage.ACTIVATE_STORAGE,
        "Keep results in a bucket; those that are kept move there",
    ),
    Route(
        PUT,
        "/connection/storage/deactivate/{storage_uuid}/",
        storage.DEACTIVATE_STORAGE,
        "Keep results with Basejump again; those that are kept move back",
    ),
)


CHAT = (
    Route(POST, "/chat/team/{team_uuid}/", chat.CREATE_CHAT, "Create a chat"),
    Route(GET, "/chat/", chat.LIST_CHATS, "List chats"),
    Route(GET, "/chat/{chat_uuid}/", chat.GET_CHAT, "Get a chat"),
    Route(PUT, "/chat/{chat_uuid}/", chat.UPDATE_CHAT, "Change a chat"),
    Route(DELETE, "/chat/{chat_uuid}/", chat.DELETE_CHAT, "Delete a chat"),
    Route(POST, "/chat/{chat_uuid}/message/", chat.ASK, "Ask a question", chosen=("prompt_uuid",), waits=True),
    Route(GET, "/chat/{chat_uuid}/message/", chat.LIST_MESSAGES, "List messages"),
    Route(GET, "/chat/message/awaiting-verification/", chat.LIST_AWAITING, "List questions that wait for verification"),
    Route(GET, "/chat/message/{msg_uuid}/", chat.GET_MESSAGE, "Get a message"),
    Route(GET, "/chat/{chat_uuid}/stream/", chat.OPEN_STREAM, "Follow a chat", streams=True),
    Route(POST, "/chat/{chat_uuid}/stream-ticket/", chat.CREATE_STREAM_TICKET, "Get a ticket for a chat's stream"),
    Route(GET, "/chat/webhook-delivery/", webhook.LIST_DELIVERIES, "List deliveries of webhooks"),
    Route(POST, "/chat/webhook-delivery/{delivery_uuid}/redeliver/", webhook.REDELIVER, "Deliver a webhook once more"),
    Route(PUT, "/chat/message/{parent_msg_uuid}/thumbs-up/", chat.JUDGE_MESSAGE, "Say what you think of an answer"),
    Route(POST, "/chat/{chat_uuid}/stop/", chat.STOP_CHAT, "Stop all that runs in a chat"),
)

RESULT = (
    Route(GET, "/result/", result.LIST_RESULTS, "List results"),
    Route(GET, "/result/{result_uuid}/", result.GET_RESULT, "Get a result"),
    Route(PUT, "/result/{result_uuid}/", result.UPDATE_RESULT, "Change a result's words, or verify it"),
    Route(DELETE, "/result/{result_uuid}/", result.DELETE_RESULT, "Delete a result and its rows"),
    Route(POST, "/result/{result_uuid}/refresh/", result.REFRESH_RESULT, "Run a result's statement again"),
    Route(POST, "/result/bulk/", result.MANY_RESULTS, "Get many results"),
    Route(POST, "/result/compare/", result.COMPARE_RESULTS, "Compare two results"),
    Route(POST, "/result/save/", result.SAVE_RESULT, "Save a result"),
    Route(POST, "/result/saved/search/", result.SEARCH_SAVED, "Search saved results"),
    Route(GET, "/result/saved/{saved_result_uuid}/", result.GET_SAVED, "Get a saved result"),
    Route(PUT, "/result/saved/{saved_result_uuid}/", result.UPDATE_SAVED, "Change a saved result"),
    Route(DELETE, "/result/saved/{saved_result_uuid}/", result.DELETE_SAVED, "Delete a saved result"),
    Route(
        GET,
        "/result/{result_uuid}/csv/",
        result.DOWNLOAD_CSV,
        "Download all rows as CSV",
        media_type="text/csv; charset=utf-8; header=present",
    ),
    Route(
        GET,
        "/result/{result_uuid}/parquet/",
        result.DOWNLOAD_PARQUET,
        "Download all rows as Parquet",
        media_type="application/vnd.apache.parquet",
    ),
)

ROUTES = (*AUTH, *ACCOUNT, *CONNECTION, *STORAGE, *CHAT, *RESULT)
