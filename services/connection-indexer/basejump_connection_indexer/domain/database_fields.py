"""What a request may say about a database, beyond the types of its fields."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from cryptography import x509

from basejump_common.contracts.connection import DatabaseFields, SslMode
from basejump_common.errors import InvalidInput
from basejump_common.security.secret import Secret
from basejump_connection_indexer.domain.engine import ENGINES, schemas_of
from basejump_connection_indexer.domain.functions import Allowing, check_functions
from basejump_connection_indexer.domain.schema_names import NamedSchema


class Database(Allowing, Protocol):
    """A database as a request or a row says it."""

    @property
    def ssl_mode(self) -> SslMode: ...
    @property
    def ssl_root_cert(self) -> str | None: ...
    @property
    def query(self) -> dict[str, str]: ...


def check_fields(fields: DatabaseFields) -> tuple[NamedSchema, ...]:
    """The schemas to index. Raises InvalidInput naming the field that is wrong."""
    return check_database(fields, lambda: check_nul(fields), lambda: check_encrypted(fields.ssl))


def check_encrypted(ssl: bool) -> None:
    """Raises InvalidInput when somebody asks for a connection that isn't."""
    if not ssl:
        raise InvalidInput.field("ssl", "connections are always encrypted: leave it out, or say ssl_mode")


def check_database(database: Database, *more: Callable[[], None]) -> tuple[NamedSchema, ...]:
    """What holds for a database however it came about, and `more`. Raises InvalidInput naming every field that is
    wrong."""
    wrong: list[InvalidInput] = []
    schemas: tuple[NamedSchema, ...] = ()
    checks: tuple[Callable[[], None], ...] = (
        *more,
        lambda: check_certificate(database.ssl_mode, database.ssl_root_cert),
        lambda: _check_options(database),
        lambda: check_functions(database.functions),
    )
    for check in checks:
        with InvalidInput.noted(wrong):
            check()
    with InvalidInput.noted(wrong):
        schemas = schemas_of(database)
    if wrong:
        raise InvalidInput.together(wrong)
    return schemas


def check_certificate(mode: SslMode, certificate: str | None) -> None:
    """A root certificate is there when the mode verifies, and is PEM. Raises InvalidInput."""
    if certificate is None:
        if mode is not SslMode.REQUIRE:
            raise InvalidInput.field("ssl_root_cert", f"{mode.value} needs the root certificate, as PEM")
        return
    try:
        x509.load_pem_x509_certificates(certificate.encode())
    except ValueError as error:
        raise InvalidInput.field("ssl_root_cert", "not a certificate in PEM") from error


def check_nul(fields: msgspec.Struct) -> None:
    """PostgreSQL can't hold NUL in text. Raises InvalidInput naming the field."""
    for name in fields.__struct_fields__:
        value: Any = getattr(fields, name)
        text = value.reveal() if isinstance(value, Secret) else value
        if isinstance(text, str) and "\0" in text:
            raise InvalidInput.field(name, "text must not contain the character NUL")


def _check_options(fields: Database) -> None:
    allowed = ENGINES[fields.database_type].options
    for name, value in fields.query.items():
        if name not in allowed:
            raise InvalidInput.field(f"query.{name}", "not an option that may be set")
        if not allowed[name](value):
            raise InvalidInput.field(f"query.{name}", f"not a value that {name} may have")
