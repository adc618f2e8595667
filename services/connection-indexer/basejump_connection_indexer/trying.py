"""Logging in to a customer's database before a login is kept: does it answer, and what may the login do?"""

from collections.abc import Sequence
from functools import partial

from basejump_common.errors import DatabaseUnreachable
from basejump_connection_indexer.domain.schema_names import NamedSchema, physical_names
from basejump_connection_indexer.domain.session import BrokeOff, Connect
from basejump_connection_indexer.domain.target import Target
from basejump_connection_indexer.side_by_side import side_by_side

AT_ONCE = 8
"""So many logins of one call are tried at a time: a database shouldn't notice."""

Trial = tuple[Target, Sequence[NamedSchema]]


class Trying:
    """Logs in and looks; keeps nothing open."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def risks(self, target: Target, schemas: Sequence[NamedSchema]) -> tuple[str, ...]:
        """What a login may do beyond SELECT. Raises what connecting raises, and SchemaMissing."""
        names = physical_names(schemas)
        session = await self._connect(target)
        try:
            await session.check_schemas(names)
            return await session.risks(names)
        except BrokeOff as error:
            raise DatabaseUnreachable.field("host", f"the database broke off while it was tried: {error}") from error
        finally:
            await session.close()

    async def all_risks(self, trials: Sequence[Trial]) -> list[tuple[str, ...]]:
        """Those of several logins, in their order. Raises what the first one that is refused raises."""
        return await side_by_side((partial(self.risks, *trial) for trial in trials), AT_ONCE)
