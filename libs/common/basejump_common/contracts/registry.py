"""All operations and events, found in the contract modules: what permissions, documents and tests walk over."""

from typing import Any

from basejump_common.contracts import account, auth, chat, connection, result, storage, usage, webhook
from basejump_common.contracts.operation import EventType, Operation

_MODULES = (auth, account, connection, storage, chat, usage, result, webhook)


def operations() -> tuple[Operation[Any, Any], ...]:
    """Every operation, in the order of the modules."""
    return tuple(v for module in _MODULES for v in vars(module).values() if isinstance(v, Operation))


def events() -> tuple[EventType[Any], ...]:
    """Every event type, in the order of the modules."""
    return tuple(v for module in _MODULES for v in vars(module).values() if isinstance(v, EventType))
