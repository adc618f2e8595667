"""Changing a client's settings."""

import msgspec
from msgspec import UNSET

from basejump_common.contracts.client_settings import ClientSettings, UpdateClientSettings

_DEFAULTS = ClientSettings()
_USUAL_PORTS = {"http": ":80", "https": ":443"}


def changed(settings: ClientSettings, request: UpdateClientSettings) -> ClientSettings:
    """With what the request gives; null is the default again."""
    given = {name: getattr(request, name) for name in request.__struct_fields__ if getattr(request, name) is not UNSET}
    if request.allowed_origins:
        given["allowed_origins"] = tuple(dict.fromkeys(map(_as_sent, request.allowed_origins)))
    return msgspec.structs.replace(
        settings, **{name: getattr(_DEFAULTS, name) if value is None else value for name, value in given.items()}
    )


def _as_sent(origin: str) -> str:
    """Browsers leave out the port that the scheme has anyway."""
    scheme, _, rest = origin.partition("://")
    return f"{scheme}://{rest.removesuffix(_USUAL_PORTS[scheme])}"
