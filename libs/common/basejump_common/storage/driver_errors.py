"""What a failure of the database driver means to a caller. Used by every statement, so it costs no generator."""

from types import TracebackType

import asyncpg

from basejump_common.errors import DeadlineExceeded, InvalidInput, Unavailable

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, still starting
    asyncpg.InsufficientResourcesError,  # too many connections, out of memory, disk full
    asyncpg.TransactionRollbackError,  # deadlock or serialisation failure: the same work may succeed next time
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby after a failover
    asyncpg.InternalClientError,  # the server's last word came when nothing was asked: it ended the session
    OSError,
)
_UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
_CLOSED = ("closed", "closing", "released")


def translate(error: BaseException) -> Exception | None:
    """The error of our tree that `error` of the driver stands for; None when it has no such meaning."""
    if isinstance(error, TimeoutError | asyncpg.QueryCanceledError):
        return DeadlineExceeded("the database took too long")
    if isinstance(error, _AWAY):
        return Unavailable("the database is not available", retry_after=1)
    if isinstance(error, _UNSTORABLE):
        return InvalidInput("text must not contain the character NUL")
    if isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in _CLOSED):
        return Unavailable("the database is not available", retry_after=1)
    return None


class DriverErrors:
    """`with driver_errors:` raises the translation of what the driver raises inside."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        meaning = None if error is None else translate(error)
        if meaning is not None:
            raise meaning from error
