"""Logging in to a customer's database before a login is kept: does it answer, and what may the login do?"""

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from basejump_common.errors import DatabaseUnreachable, InvalidInput
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

    async def all_risks(self, trials: Mapping[UUID, Trial]) -> list[tuple[str, ...]]:
        """Those of a database's logins by connection, in their order. Raises what the first one that is refused raises,
        and says which it is where there are several."""

        async def one(conn_uuid: UUID, trial: Trial) -> tuple[str, ...]:
            try:
                return await self.risks(*trial)
            except InvalidInput as error:
                if len(trials) == 1:
                    raise
                raise type(error)(f"connection {conn_uuid}: {error.message}", errors=error.errors) from error

        return await side_by_side((partial(one, *trial) for trial in trials.items()), AT_ONCE)
