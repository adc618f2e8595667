"""What each NATS user may publish and subscribe to, derived from the contracts.

One user per service, each with a private inbox; `operator` declares streams and may do everything (it is used by
`basejump migrate` alone); `cli` may call what names it; `external` is for the operator's own services, which read all
events by consumers of their own and publish below `basejump.v1.ext`. A reply is allowed to whoever asked
(`allow_responses`).
"""

import msgspec

from basejump_common.bus.connection import inbox_prefix
from basejump_common.bus.topology import CHAT_STREAM, EVENTS_STREAM, EXTERNAL_SUBJECTS, KEYS, REVOCATIONS
from basejump_common.contracts import chat
from basejump_common.contracts.account import CLIENT_UPDATED
from basejump_common.contracts.calls import counter_subject
from basejump_common.contracts.operation import SERVICES, bell_subject
from basejump_common.contracts.registry import events, operations

OPERATOR = "operator"
CLI = "cli"
EXTERNAL = "external"


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Subjects one NATS user may publish to and subscribe to."""

    user: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny_publish: tuple[str, ...] = ()


def all_permissions() -> tuple[Permissions, ...]:
    """Every NATS user of an installation."""
    everything = Permissions(user=OPERATOR, publish=(">",), subscribe=(">",))
    return (*(permissions(service) for service in (*SERVICES, CLI)), _external(), everything)


def permissions(service: str) -> Permissions:
    """The permissions of one service (or of `cli`)."""
    return Permissions(
        user=service,
        publish=(
            *_calls(service),
            *_publications(service),
            *_buckets(service),
            *_consumer(service),
            *_replay(service),
            *_bell(service),
        ),
        subscribe=(*_served(service), *_live(service), *_bell(service), f"{inbox_prefix(service)}.>"),
    )


def _external() -> Permissions:
    """Any consumer of EVENTS but ours: whoever read from one of those would take events away from a service."""
    calls = ("CONSUMER.CREATE.{}.>", "CONSUMER.INFO.{}.*", "CONSUMER.MSG.NEXT.{}.*")
    ours = tuple(
        subject
        for service in SERVICES
        for name in (f"{EVENTS_STREAM}.{service}",)
        for subject in (
            f"$JS.API.CONSUMER.CREATE.{name}",
            f"$JS.API.CONSUMER.CREATE.{name}.>",
            f"$JS.API.CONSUMER.MSG.NEXT.{name}",
            f"$JS.ACK.{name}.>",
        )
    )
    return Permissions(
        user=EXTERNAL,
        publish=(
            EXTERNAL_SUBJECTS,
            *(f"$JS.API.{call.format(EVENTS_STREAM)}" for call in calls),
            f"$JS.ACK.{EVENTS_STREAM}.>",
        ),
        subscribe=(f"{inbox_prefix(EXTERNAL)}.>",),
        deny_publish=ours,
    )


def _calls(service: str) -> tuple[str, ...]:
    return tuple(o.subject for o in operations() if service in o.callers)


def _publications(service: str) -> tuple[str, ...]:
    published = tuple(e.subject() for e in events() if e.publisher == service)
    stream = (chat.stream_subject("*", "*", "*"),) if service == "chat-agent" else ()
    purges = (f"$JS.API.STREAM.PURGE.{CHAT_STREAM}",) if service == "chat-agent" else ()
    counters = (counter_subject("*", "*"),) if service == "gateway" else ()
    return published + stream + purges + counters


def _buckets(service: str) -> tuple[str, ...]:
    """Everybody watches keys and revocations, through ordered consumers; only auth writes them."""
    if service == CLI:
        return ()
    # An ordered consumer is created without a name: the bare subject is the one a watch uses.
    create = ("CONSUMER.CREATE.KV_{}", "CONSUMER.CREATE.KV_{}.>")
    verbs = ("STREAM.INFO.KV_{}", *create, "CONSUMER.DELETE.KV_{}.>", "CONSUMER.INFO.KV_{}.>")
    watched = [f"$JS.API.{verb.format(bucket)}" for bucket in (KEYS, REVOCATIONS) for verb in verbs]
    written = [f"$KV.{bucket}.>" for bucket in (KEYS, REVOCATIONS)] if service == "auth" else []
    return (*watched, *written, "$JS.FC.>")


def _consumer(service: str) -> tuple[str, ...]:
    if not any(service in e.consumers for e in events()):
        return ()
    name = f"{EVENTS_STREAM}.{service}"
    return (f"$JS.API.CONSUMER.MSG.NEXT.{name}", f"$JS.API.CONSUMER.INFO.{name}", f"$JS.ACK.{name}.>")


def _served(service: str) -> tuple[str, ...]:
    subjects = tuple(o.subject for o in operations() if o.owner == service)
    if not subjects:
        return ()
    discovery = tuple(f"$SRV.{verb}{name}" for verb in ("PING", "INFO", "STATS") for name in _micro_names(service))
    return subjects + discovery


def _bell(service: str) -> tuple[str, ...]:
    """Services with tables wake their replicas; the gateway has none."""
    return (bell_subject(service),) if service not in ("gateway", CLI) else ()


def _micro_names(service: str) -> tuple[str, ...]:
    return ("", f".{service}", f".{service}.*")


def _live(service: str) -> tuple[str, ...]:
    """The gateway hears what is said in chats, and that a client's settings have changed."""
    return (chat.live_subject("*", "*", "*"), CLIENT_UPDATED.subject()) if service == "gateway" else ()


def _replay(service: str) -> tuple[str, ...]:
    """The gateway reads the stream CHAT from any place on."""
    verbs = ("STREAM.INFO.{}", "CONSUMER.CREATE.{}", "CONSUMER.MSG.NEXT.{}.*", "CONSUMER.DELETE.{}.*")
    return tuple(f"$JS.API.{verb.format(CHAT_STREAM)}" for verb in verbs) if service == "gateway" else ()


def variable(user: str) -> str:
    """The environment variable of the NATS server that holds a user's password."""
    return f"NATS_{user.upper().replace('-', '_')}_PASSWORD"


def server_configuration() -> str:
    """The users of an installation in nats-server's configuration format; passwords come from its environment."""
    users = "".join(_user(permissions) for permissions in all_permissions())
    origin = "# Generated from the contracts; a test fails when it differs."
    return f"{origin}\nauthorization {{\n  users = [\n{users}  ]\n}}\n"


def _user(permissions: Permissions) -> str:
    return (
        f"    {{\n      user: {permissions.user}\n      password: ${variable(permissions.user)}\n"
        f"      permissions {{\n        publish {{ allow: [{_subjects(permissions.publish)}]{_denied(permissions)} }}\n"
        f"        subscribe {{ allow: [{_subjects(permissions.subscribe)}] }}\n"
        f'        allow_responses {{ max: 1, expires: "5m" }}\n      }}\n    }}\n'
    )


def _denied(permissions: Permissions) -> str:
    return f", deny: [{_subjects(permissions.deny_publish)}]" if permissions.deny_publish else ""


def _subjects(subjects: tuple[str, ...]) -> str:
    return "".join(f'\n          "{subject}"' for subject in subjects) + "\n        "
