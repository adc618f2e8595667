"""Changing a client's settings."""

from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET

from basejump_common.contracts.client_settings import ClientSettings, UpdateClientSettings
from basejump_common.errors import InvalidInput

_DEFAULTS = ClientSettings()
_USUAL_PORTS = {"http": 80, "https": 443}


def changed(settings: ClientSettings, request: UpdateClientSettings) -> ClientSettings:
    """With what the request gives; null is the default again. Raises InvalidInput."""
    given = {name: getattr(request, name) for name in request.__struct_fields__ if getattr(request, name) is not UNSET}
    if request.allowed_origins:
        sent = [_as_sent(place, origin) for place, origin in enumerate(request.allowed_origins)]
        given["allowed_origins"] = tuple(dict.fromkeys(sent))
    return msgspec.structs.replace(
        settings, **{name: getattr(_DEFAULTS, name) if value is None else value for name, value in given.items()}
    )


def _as_sent(place: int, origin: str) -> str:
    """Browsers leave out the port that the scheme has anyway. Raises InvalidInput for what no host or port is."""
    scheme, _, rest = origin.partition("://")
    try:
        port = urlsplit(origin).port
    except ValueError as error:
        raise InvalidInput.field(f"allowed_origins[{place}]", f"is no origin: {error}") from error
    return f"{scheme}://{rest.removesuffix(f':{port}')}" if port == _USUAL_PORTS[scheme] else origin
