"""Erasing a client: every service that keeps rows of clients answers the same operation, which account alone calls."""

import msgspec

from basejump_common.contracts.common import ByClient
from basejump_common.contracts.operation import SERVICES_ONLY, Operation


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows and files were there to erase: asked again it is 0 once nothing comes any more."""

    count: int


def erase_client(service: str) -> Operation[ByClient, Erased]:
    """The operation of the service whose subjects begin with that word."""
    return Operation(
        f"basejump.v1.{service}.client.erase",
        takes=ByClient,
        gives=Erased,
        allow=SERVICES_ONLY,
        callers=("account",),
        timeout=60.0,
    )
