"""What auth answers and reacts to: each operation and event with its function."""

from typing import Any

from basejump_auth.client_secrets import ClientSecrets
from basejump_auth.clients import Clients
from basejump_auth.keyring import Keyring
from basejump_auth.sessions import Sessions
from basejump_common.bus import Endpoint, Reaction, handle, on
from basejump_common.contracts import account, auth


def handlers(
    clients: Clients, secrets: ClientSecrets, sessions: Sessions, keyring: Keyring
) -> tuple[Endpoint[Any, Any], ...]:
    """The table of contents of the service."""
    return (
        handle(auth.EXCHANGE_SECRET, secrets.exchange),
        handle(auth.CREATE_REFRESH_TOKEN, sessions.begin),
        handle(auth.CREATE_ACCESS_TOKEN, sessions.refresh),
        handle(auth.DELEGATE, sessions.delegate),
        handle(auth.REVOKE_TOKENS, sessions.revoke),
        handle(auth.CREATE_SECRET, secrets.create),
        handle(auth.LIST_SECRETS, secrets.page),
        handle(auth.DELETE_SECRET, secrets.delete),
        handle(auth.ISSUE_FIRST_SECRET, secrets.issue_first),
        handle(auth.GET_JWKS, keyring.jwks),
        handle(auth.ERASE_CLIENT, clients.erase),
    )


def reactions(clients: Clients, sessions: Sessions) -> tuple[Reaction[Any], ...]:
    """What other services' events do here."""
    return (
        on(account.CLIENT_SUSPENDED, clients.suspended),
        on(account.USER_UPDATED, sessions.user_updated),
        on(account.USER_DELETED, sessions.user_deleted),
    )
