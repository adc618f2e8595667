"""Changing a client's settings."""

import msgspec
from msgspec import UNSET

from basejump_common.contracts.client_settings import ClientSettings, UpdateClientSettings

_DEFAULTS = ClientSettings()


def changed(settings: ClientSettings, request: UpdateClientSettings) -> ClientSettings:
    """With what the request gives; null is the default again."""
    given = {name: getattr(request, name) for name in request.__struct_fields__ if getattr(request, name) is not UNSET}
    return msgspec.structs.replace(
        settings, **{name: getattr(_DEFAULTS, name) if value is None else value for name, value in given.items()}
    )
