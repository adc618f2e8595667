"""The five services as the dev stack runs them: their order, and the settings that each is given.

The services themselves are the same everywhere: what differs here is only what these settings say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from basejump_chat_agent.settings import ModelSettings
from basejump_common.bus.permissions import CLI, OPERATOR, all_permissions
from basejump_common.settings import PREFIX, ServiceSettings
from basejump_devstack.nats import EmbeddedNats, NatsUser
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.state import State

APP_DATABASE = "basejump"
ENVIRONMENT = "dev"
POSTGRES, NATS = "PostgreSQL", "NATS"  # their ports are kept under these names
POSTGRES_FOLDER = "postgres"
GATEWAY = "gateway"
CHAT_AGENT = "chat-agent"


# One person's own machine: nothing is to be shared fairly, and tests and benchmarks call fast.
_UNHURRIED = {f"{PREFIX}CALLS_PER_MINUTE{whose}": "10000000" for whose in ("", "_PER_KEY", "_PER_ADDRESS")}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What runs around the services."""

    state: State
    postgres: EmbeddedPostgres
    nats: EmbeddedNats
    port: int


# In the order of starting: who answers comes before who asks.
STATEFUL = ("auth", "account", "connection-indexer", CHAT_AGENT)
SERVICES = (*STATEFUL, GATEWAY)


def module(service: str) -> str:
    """The Python package of a service."""
    return f"basejump_{service.replace('-', '_')}"


def schema(service: str) -> str:
    """The PostgreSQL schema of a service."""
    return service.replace("-", "_")


def health_port(service: str, around: Surroundings) -> int:
    """The port on which a service says whether it is ready; the gateway says it on its own."""
    return around.port if service == GATEWAY else around.state.port(health_name(service))


def health_name(service: str) -> str:
    """The name under which that port is kept."""
    return f"health of {service}"


def settings(service: str, around: Surroundings) -> dict[str, str]:
    """The environment of a service."""
    found = {
        "BASEJUMP_LOG_FORMAT": "json",
        "BASEJUMP_ENVIRONMENT": ENVIRONMENT,
        "BASEJUMP_NATS_URL": around.nats.url,
        "BASEJUMP_NATS_USER": service,
        "BASEJUMP_NATS_PASSWORD": around.state.secret(f"nats {service}"),
    }
    if service == GATEWAY:
        own = {"BASEJUMP_HOST": "127.0.0.1", "BASEJUMP_PORT": str(around.port), "BASEJUMP_DRAIN_SECONDS": "10"}
        return found | own | _UNHURRIED
    found["BASEJUMP_HEALTH_HOST"] = "127.0.0.1"
    found["BASEJUMP_HEALTH_PORT"] = str(health_port(service, around))
    found["BASEJUMP_DATABASE_DSN"] = around.postgres.dsn(
        module(service), around.state.secret(f"database {service}"), APP_DATABASE
    )
    found["BASEJUMP_MASTER_KEYS"] = around.state.master_keys()
    return found | _own_settings(service, around.state)


def language_models(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of language models in `environment`: the only ones of a service that the dev stack leaves to who
    runs it."""
    own = {field.name for field in msgspec.structs.fields(ModelSettings)}
    own -= {field.name for field in msgspec.structs.fields(ServiceSettings)}
    variables = (PREFIX + name.upper() for name in own)
    return {variable: environment[variable] for variable in variables if variable in environment}


def migration_settings(around: Surroundings) -> dict[str, str]:
    """The environment of `basejump migrate`."""
    passwords = {
        f"BASEJUMP_{schema(service).upper()}_DATABASE_PASSWORD": around.state.secret(f"database {service}")
        for service in STATEFUL
    }
    return {
        "BASEJUMP_ADMIN_DSN": around.postgres.dsn(database=APP_DATABASE),
        "BASEJUMP_NATS_URL": around.nats.url,
        "BASEJUMP_NATS_USER": OPERATOR,
        "BASEJUMP_NATS_PASSWORD": around.state.secret(f"nats {OPERATOR}"),
        **passwords,
    }


def operator_settings(state: State) -> dict[str, str]:
    """The environment of `basejump client create`, for the stack that runs in this folder."""
    postgres = EmbeddedPostgres(state.path / POSTGRES_FOLDER, port=state.kept_port(POSTGRES))
    auth = "auth"
    return {
        "BASEJUMP_ENVIRONMENT": ENVIRONMENT,
        "BASEJUMP_AUTH_DATABASE_DSN": postgres.dsn(module(auth), state.secret(f"database {auth}"), APP_DATABASE),
        "BASEJUMP_SECRET_PEPPER": state.secret("pepper"),
        "BASEJUMP_NATS_URL": f"nats://127.0.0.1:{state.kept_port(NATS)}",
        "BASEJUMP_NATS_PASSWORD": state.secret(f"nats {CLI}"),
    }


def nats_users(state: State) -> list[NatsUser]:
    """Every NATS user of an installation, with a password of this folder."""
    return [
        NatsUser(
            name=given.user,
            password=state.secret(f"nats {given.user}"),
            publish_allow=given.publish,
            publish_deny=given.deny_publish,
            subscribe_allow=given.subscribe,
            allow_responses=True,
        )
        for given in all_permissions()
    ]


def _own_settings(service: str, state: State) -> dict[str, str]:
    match service:
        case "auth":
            return {"BASEJUMP_SECRET_PEPPER": state.secret("pepper")}
        case "connection-indexer":
            results = _folder(state.path / "results")
            downloads = {"BASEJUMP_DOWNLOADS_HOST": "127.0.0.1", "BASEJUMP_DOWNLOADS_PORT": "0"}
            return downloads | {
                "BASEJUMP_ALLOW_PRIVATE_HOSTS": "true",
                "BASEJUMP_STORAGE_PLAIN_HTTP": "true",
                "BASEJUMP_RESULTS_URL": results.as_uri(),
                "BASEJUMP_MOVED_RESULTS_SECONDS": "2",  # one person downloads, and waits for what is moved
            }
        case "chat-agent":
            return {"BASEJUMP_WEBHOOK_PRIVATE_HOSTS": "true", "BASEJUMP_WEBHOOK_PLAIN_HTTP": "true"}
        case _:
            return {}


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    return path
