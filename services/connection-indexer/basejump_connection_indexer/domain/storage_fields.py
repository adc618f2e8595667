"""Whether the fields of a client's bucket make sense together, and where it is."""

from urllib.parse import urlsplit

from basejump_common.contracts.connection import SslMode
from basejump_common.contracts.storage import StorageFields, StorageProvider
from basejump_common.errors import InvalidInput
from basejump_connection_indexer.domain.database_fields import check_certificate, check_nul

_GCS = "https://storage.googleapis.com"
_LONGEST_KEY = 500


def check_storage(fields: StorageFields, *, plain_http: bool) -> None:
    """`plain_http`: whether the operator allows endpoints without TLS. Raises InvalidInput."""
    check_nul(fields)
    check_certificate(SslMode.REQUIRE, fields.ssl_root_cert)
    for name in ("access_key", "secret_access_key"):
        if not 1 <= len(getattr(fields, name).reveal()) <= _LONGEST_KEY:
            raise InvalidInput.field(name, f"must have 1 to {_LONGEST_KEY} characters")
    if fields.storage_provider is StorageProvider.S3 and fields.region is None:
        raise InvalidInput.field("region", "is needed for s3")
    compatible = fields.storage_provider is StorageProvider.S3_COMPATIBLE
    if compatible and fields.endpoint is None:
        raise InvalidInput.field("endpoint", "is needed for s3_compatible")
    for name in ("endpoint", "ssl_root_cert"):
        if getattr(fields, name) is not None and not compatible:
            raise InvalidInput.field(name, f"is not for {fields.storage_provider}")
    if any(step in ("", ".", "..") for step in fields.prefix.strip("/").split("/") if fields.prefix):
        raise InvalidInput.field("prefix", "has an empty step, or one of dots alone")
    if fields.endpoint is not None:
        _check_endpoint(fields.endpoint, plain_http=plain_http)


def endpoint_of(provider: StorageProvider, region: str | None, endpoint: str | None) -> str:
    """The URL of the service that has the bucket."""
    match provider:
        case StorageProvider.S3:
            return f"https://s3.{region}.amazonaws.com"
        case StorageProvider.GCS:
            return _GCS
        case StorageProvider.S3_COMPATIBLE:
            assert endpoint is not None, "checked when it was added"
            return endpoint.rstrip("/")


def address_of(url: str) -> tuple[str, int]:
    """Host and port of a checked endpoint."""
    parts = urlsplit(url)
    assert parts.hostname is not None, "checked when it was added"
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _check_endpoint(endpoint: str, *, plain_http: bool) -> None:
    try:
        parts = urlsplit(endpoint)
        good = parts.port != 0 and endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    except ValueError:
        good = False
    if not good or not parts.hostname or parts.path not in ("", "/") or "@" in parts.netloc:
        raise InvalidInput.field("endpoint", "must be https://host or https://host:port")
    if parts.query or parts.fragment or parts.scheme not in ("http", "https"):
        raise InvalidInput.field("endpoint", "must be https://host or https://host:port")
    if parts.scheme == "http" and not plain_http:
        raise InvalidInput.field("endpoint", "must be https: the operator allows no bucket without TLS")
