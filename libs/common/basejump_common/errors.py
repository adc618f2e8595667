"""Every error that crosses a service's border.

    BasejumpError
    ├── InvalidInput            invalid_input           the request is malformed; `errors` names the fields
    │   ├── HostForbidden       host_forbidden          operator policy forbids the address
    │   ├── DatabaseUnreachable database_unreachable    nothing answers at the database's address
    │   ├── TlsRefused          tls_refused             the database has no TLS, or its certificate is wrong
    │   ├── LoginRefused        login_refused           the database refuses username or password
    │   ├── DatabaseMissing     database_missing        the server has no database of that name
    │   ├── SchemaMissing       schema_missing          the database has no such schema, or the login may not see it
    │   ├── StorageUnreachable  storage_unreachable     nothing that speaks S3 answers at the storage's address
    │   ├── StorageRefused      storage_refused         the storage refuses the keys, or what is done with them
    │   └── BucketMissing       bucket_missing          the storage has no bucket of that name
    ├── Unauthenticated         unauthenticated         no credential, or a bad, expired or revoked one
    ├── Forbidden               forbidden               the credential is good, its role or kind is not enough
    ├── NotFound                not_found               not there, or another tenant's: never told apart
    ├── Conflict                conflict                the state of the object forbids it
    ├── TooLarge                too_large               the body exceeds the limit
    ├── TooManyRequests         too_many_requests       come back after `retry_after` seconds
    │   └── TooManyStatements   too_many_statements     as many statements run as may run at once; it did not run
    ├── NotProved               not_proved              the SQL was refused by the proof; it did not run
    ├── ValuesMissing           values_missing          no row has a text value of the statement; it did not run
    ├── EstimateTooHigh         estimate_too_high       the database expects more work than the limit; it did not run
    ├── QueryFailed             query_failed            the customer's database refused the statement
    ├── StatementTimeout        statement_timeout       the statement ran longer than its limit and was canceled
    ├── ResultTooLarge          result_too_large        the result exceeds a limit; nothing was kept
    ├── Canceled                canceled                somebody stopped it
    ├── Unavailable             unavailable             a dependency is away; try again after `retry_after` seconds
    │   └── StorageAway         storage_away            where results are kept is away, or takes or gives none
    ├── DeadlineExceeded        deadline_exceeded       the answer did not come in time
    └── Internal                internal                a defect of ours; the log has the rest under the request id

`code` is stable and part of the API; `message` is safe to show to the caller. The mapping to HTTP is one table in
the gateway. On the bus an error is a reply with the header `Nats-Service-Error-Code` and the body `ErrorBody`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field. `field` is a path such as `schemas[0].schema_nm`."""

    field: str
    message: str


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """An error on the wire between services."""

    code: str
    message: str
    errors: tuple[FieldError, ...] = ()
    retry_after: float | None = None
    details: dict[str, Any] = {}


class BasejumpError(Exception):
    """The root. `details` holds JSON values that a program may read; nothing secret. `passing`: the same call may be
    answered otherwise a moment later."""

    code: ClassVar[str] = "internal"
    passing: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after: float | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors
        self.retry_after = retry_after
        self.details = details or {}

    def body(self) -> ErrorBody:
        """The error as it goes on the wire."""
        return ErrorBody(
            code=self.code,
            message=self.message,
            errors=self.errors,
            retry_after=self.retry_after,
            details=self.details,
        )


class InvalidInput(BasejumpError):
    """The request is malformed; `errors` names the fields."""

    code = "invalid_input"

    @classmethod
    def field(cls, field: str, message: str) -> "InvalidInput":
        """One field is wrong."""
        return cls(f"{field}: {message}", errors=(FieldError(field=field, message=message),))

    @staticmethod
    def together(wrong: Sequence["InvalidInput"]) -> "InvalidInput":
        """All of them as one, of the kind of the first."""
        if len(wrong) == 1:
            return wrong[0]
        errors = tuple(error for one in wrong for error in one.errors)
        return type(wrong[0])("; ".join(f"{error.field}: {error.message}" for error in errors), errors=errors)

    @staticmethod
    @contextmanager
    def noted(wrong: list["InvalidInput"]) -> Iterator[None]:
        """Adds what is raised within to `wrong`, so that what comes after it is looked at too."""
        try:
            yield
        except InvalidInput as error:
            wrong.append(error)


class HostForbidden(InvalidInput):
    """Operator policy forbids the address."""

    code = "host_forbidden"


class DatabaseUnreachable(InvalidInput):
    """Nothing answers at the database's address."""

    code = "database_unreachable"


class TlsRefused(InvalidInput):
    """The database has no TLS, or its certificate is not the one asked for."""

    code = "tls_refused"


class LoginRefused(InvalidInput):
    """The database refuses username or password."""

    code = "login_refused"


class DatabaseMissing(InvalidInput):
    """The server has no database of that name."""

    code = "database_missing"


class SchemaMissing(InvalidInput):
    """The database has no such schema, or the login may not see it."""

    code = "schema_missing"


class StorageUnreachable(InvalidInput):
    """Nothing that speaks S3 answers at the storage's address."""

    code = "storage_unreachable"


class StorageRefused(InvalidInput):
    """The storage refuses the keys, or what results need: to write, read and delete objects."""

    code = "storage_refused"


class BucketMissing(InvalidInput):
    """The storage has no bucket of that name."""

    code = "bucket_missing"


class Unauthenticated(BasejumpError):
    """No credential, or a bad, expired or revoked one."""

    code = "unauthenticated"


class Forbidden(BasejumpError):
    """The credential is good; its role or kind is not enough."""

    code = "forbidden"


class NotFound(BasejumpError):
    """Not there, or another tenant's: never told apart."""

    code = "not_found"


class Conflict(BasejumpError):
    """The state of the object forbids it."""

    code = "conflict"


class TooLarge(BasejumpError):
    """The body exceeds the limit."""

    code = "too_large"


class TooManyRequests(BasejumpError):
    """Come back after `retry_after` seconds."""

    code = "too_many_requests"
    passing = True


class TooManyStatements(TooManyRequests):
    """As many statements run as may run at once for the client or on the database. `details` names the limit."""

    code = "too_many_statements"


class NotProved(BasejumpError):
    """The SQL was refused by the proof; it did not run. `details` holds the refusal."""

    code = "not_proved"


class ValuesMissing(BasejumpError):
    """No row has a text value that the statement compares a column with; it did not run. `details` holds which, and
    what is like them."""

    code = "values_missing"


class EstimateTooHigh(BasejumpError):
    """The database expects more work of the statement than the limit allows; it did not run. `details` holds the
    estimate, the limit, and whether a person may approve it."""

    code = "estimate_too_high"


class QueryFailed(BasejumpError):
    """The customer's database refused the statement."""

    code = "query_failed"


class StatementTimeout(BasejumpError):
    """The statement ran longer than its limit and was canceled in the database."""

    code = "statement_timeout"
    passing = True


class ResultTooLarge(BasejumpError):
    """The result exceeds a limit; nothing was kept."""

    code = "result_too_large"


class Canceled(BasejumpError):
    """Somebody stopped it."""

    code = "canceled"
    passing = True


class Unavailable(BasejumpError):
    """A dependency is away; try again after `retry_after` seconds."""

    code = "unavailable"
    passing = True


class StorageAway(Unavailable):
    """Where results are kept is away, or refuses to take or give them."""

    code = "storage_away"


class DeadlineExceeded(BasejumpError):
    """The answer did not come in time."""

    code = "deadline_exceeded"
    passing = True


class Internal(BasejumpError):
    """A defect of ours. The message tells nothing; the log has the rest under the request id."""

    code = "internal"
    passing = True


def all_errors(root: type[BasejumpError] = BasejumpError) -> list[type[BasejumpError]]:
    """Every concrete class below `root`, depth first."""
    return [error for child in root.__subclasses__() for error in (child, *all_errors(child))]


def from_body(body: ErrorBody) -> BasejumpError:
    """The error that a reply carried; an unknown code (a newer service) is `Internal` with that message."""
    kind = {error.code: error for error in all_errors()}.get(body.code, Internal)
    return kind(body.message, errors=body.errors, retry_after=body.retry_after, details=body.details)
