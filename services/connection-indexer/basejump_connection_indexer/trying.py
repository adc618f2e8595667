"""Logging in to a customer's database before a login is kept: does it answer, and what may the login do?"""

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

import msgspec

from basejump_common.errors import DatabaseUnreachable, InvalidInput
from basejump_connection_indexer.domain.risks import check_risks
from basejump_connection_indexer.domain.schema_names import NamedSchema, physical_names
from basejump_connection_indexer.domain.session import BrokeOff, CatalogRequest, Connect, Session
from basejump_connection_indexer.domain.target import Target
from basejump_connection_indexer.side_by_side import side_by_side

AT_ONCE = 8
"""So many logins of one call are tried at a time: a database shouldn't notice."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A login to try. What it may do beyond SELECT is refused, but for what is `known` or where all of it is
    `accepted`."""

    target: Target
    schemas: Sequence[NamedSchema]
    known: tuple[str, ...] = ()
    accepted: bool = False


class Trying:
    """Logs in and looks; keeps nothing open."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def risks(self, trial: Trial) -> tuple[str, ...]:
        """What a login may do beyond SELECT. Raises as `look` does."""
        return (await self.look(trial))[0]

    async def look(self, trial: Trial, request: CatalogRequest | None = None) -> tuple[tuple[str, ...], dict[str, int]]:
        """What a login may do beyond SELECT, and how many tables of each schema `request` would find.

        Raises what connecting raises, and then whatever is wrong as one: SchemaMissing, and InvalidInput for what isn't
        accepted. That a schema is empty is told beside those, and is not wrong by itself.
        """
        session = await self._connect(trial.target)
        try:
            return await _looked(session, trial, request)
        except BrokeOff as error:
            raise DatabaseUnreachable.field("host", f"the database broke off while it was tried: {error}") from error
        finally:
            await session.close()

    async def all_risks(self, trials: Mapping[UUID, Trial]) -> list[tuple[str, ...]]:
        """Those of a database's logins by connection, in their order. Raises what the first one that is refused raises,
        and says which it is where there are several."""

        async def one(conn_uuid: UUID, trial: Trial) -> tuple[str, ...]:
            try:
                return await self.risks(trial)
            except InvalidInput as error:
                if len(trials) == 1:
                    raise
                raise type(error)(f"connection {conn_uuid}: {error.message}", errors=error.errors) from error

        return await side_by_side((partial(one, *trial) for trial in trials.items()), AT_ONCE)


async def _looked(
    session: Session, trial: Trial, request: CatalogRequest | None
) -> tuple[tuple[str, ...], dict[str, int]]:
    names = physical_names(trial.schemas)
    wrong: list[InvalidInput] = []
    tables: dict[str, int] = {}
    with InvalidInput.noted(wrong):
        await session.check_schemas(names)
        if request is not None:
            tables = await _tables(session, request)
    # Last, because it may leave the session with another role.
    risks = await session.risks(names)
    with InvalidInput.noted(wrong):
        check_risks([risk for risk in risks if risk not in trial.known], accepted=trial.accepted)
    if wrong:
        raise InvalidInput.together([*wrong, *(InvalidInput.field("schemas", said) for said in empty_ones(tables))])
    return risks, tables


async def _tables(session: Session, request: CatalogRequest) -> dict[str, int]:
    seen = [table.definition.schema.lower() for table in await session.catalog(request)]
    return {schema: seen.count(schema.lower()) for schema in request.schemas}


def empty_ones(tables: Mapping[str, int]) -> tuple[str, ...]:
    """A sentence for each schema of which there is nothing to index."""
    empty = [name for name, count in tables.items() if not count]
    return tuple(f"schema {name} has no table to index that the login may SELECT from" for name in empty)
