"""Replies on the bus have room for 1 MiB: lists are cut where they would not fit."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from basejump_common.contracts import wire

S = TypeVar("S", bound=msgspec.Struct)

REPLY_BYTES = 700_000


def fitting(structs: Iterable[S]) -> tuple[S, ...]:
    """As many of the first ones as a reply has room for, at least one."""
    room = REPLY_BYTES
    found: list[S] = []
    for struct in structs:
        room -= len(wire.encode(struct))
        if room < 0 and found:
            break
        found.append(struct)
    return tuple(found)


def fits(struct: msgspec.Struct) -> bool:
    """Whether it fits in a reply alone."""
    return len(wire.encode(struct)) <= REPLY_BYTES
