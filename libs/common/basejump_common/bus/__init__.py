"""NATS: operations served and called, events published and consumed, KV buckets mirrored.

connection.py   the connection, calls, durable publications
server.py       operations served; drain
events.py       events out (outbox) and in (inbox)
keyvalue.py     a bucket held in memory
bells.py        bells that ring in every replica of a service
remembered.py   facts that another service owns, for five seconds
client_settings.py  what a client has set, read by other services
permissions.py  what each NATS user may do, from the contracts
topology.py     streams, buckets and consumers of an installation
"""

from basejump_common.bus.connection import Bus
from basejump_common.bus.context import Context
from basejump_common.bus.events import Consumer, Event, Reaction, as_published, on, publish
from basejump_common.bus.keyvalue import KeyValueMirror
from basejump_common.bus.server import Endpoint, Server, authorize, handle
from basejump_common.bus.topology import KEYS, REVOCATIONS

__all__ = [
    "KEYS",
    "REVOCATIONS",
    "Bus",
    "Consumer",
    "Context",
    "Endpoint",
    "Event",
    "KeyValueMirror",
    "Reaction",
    "Server",
    "as_published",
    "authorize",
    "handle",
    "on",
    "publish",
]
