"""What account answers: each operation and its function."""

from typing import Any

from basejump_account.clients import Clients
from basejump_account.lifecycle import Lifecycle
from basejump_account.teams import Teams
from basejump_account.users import Users
from basejump_common.bus import Endpoint, handle
from basejump_common.contracts import account


def handlers(clients: Clients, lifecycle: Lifecycle, users: Users, teams: Teams) -> tuple[Endpoint[Any, Any], ...]:
    """The table of contents of the service."""
    return (
        handle(account.CREATE_CLIENT, clients.create),
        handle(account.LIST_CLIENTS, clients.page),
        handle(account.GET_CLIENT, clients.get),
        handle(account.UPDATE_CLIENT, lifecycle.update),
        handle(account.DELETE_CLIENT, lifecycle.delete),
        handle(account.CLIENT_STANDING, lifecycle.standing),
        handle(account.UPDATE_CLIENT_SETTINGS, clients.update_settings),
        handle(account.UPDATE_VERIFY_MODE, clients.update_verify_mode),
        handle(account.CLIENT_CHOICES, clients.choices),
        handle(account.CHECK_ORIGIN, clients.check_origin),
        handle(account.CREATE_USER, users.create),
        handle(account.LIST_USERS, users.page),
        handle(account.GET_USER, users.get),
        handle(account.UPDATE_USER, users.update),
        handle(account.DELETE_USER, users.delete),
        handle(account.USER_STANDING, users.standing),
        handle(account.CREATE_TEAM, teams.create),
        handle(account.LIST_TEAMS, teams.page),
        handle(account.GET_TEAM, teams.get),
        handle(account.UPDATE_TEAM, teams.update),
        handle(account.DELETE_TEAM, teams.delete),
        handle(account.ADD_MEMBER, teams.add_member),
        handle(account.REMOVE_MEMBER, teams.remove_member),
        handle(account.LIST_TEAM_USERS, teams.users),
        handle(account.LIST_USER_TEAMS, teams.of_user),
        handle(account.CHECK_MEMBERSHIP, teams.check_membership),
    )
