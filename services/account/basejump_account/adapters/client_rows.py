"""Rows of clients, and the directory in which the operator finds them."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.account import Client, ClientState, CreateClient, UpdateClient
from basejump_common.contracts.client_settings import ClientSettings, VerifyMode
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

_CLIENT = "select *, settings ->> 'llm' as llm from client where client_uuid = $1"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """That a client exists, and since when."""

    client_uuid: UUID
    created_at: datetime


async def insert(tx: Transaction, client_uuid: UUID, request: CreateClient) -> None:
    """The client, and its entry in the directory."""
    await tx.execute(
        "insert into client (client_uuid, client_name, description) values ($1, $2, $3)",
        client_uuid,
        request.client_name,
        request.description,
    )
    await tx.execute("insert into client_directory (client_uuid) values ($1)", client_uuid)


async def find(tx: Transaction, client_uuid: UUID) -> Client | None:
    """The client whose transaction this is."""
    return await tx.row(Client, _CLIENT, client_uuid)


async def lock(tx: Transaction, client_uuid: UUID) -> Client | None:
    """The client, which doesn't change until the transaction ends."""
    return await tx.row(Client, f"{_CLIENT} for update", client_uuid)


async def update(tx: Transaction, request: UpdateClient, state: ClientState) -> Client:
    """Change what is given, and the state."""
    client = await tx.row(
        Client,
        """
        update client set
            client_name = coalesce($2, client_name), description = coalesce($3, description), state = $4,
            quota = coalesce($5, quota)
        where client_uuid = $1 returning *, settings ->> 'llm' as llm
        """,
        request.client_uuid,
        request.client_name,
        request.description,
        state.value,
        request.quota,
    )
    assert client is not None, "the row is locked"
    return client


async def write_choices(tx: Transaction, client_uuid: UUID, settings: ClientSettings, verify_mode: VerifyMode) -> None:
    """What its OWNER decides."""
    await tx.execute(
        "update client set settings = $2, verify_mode = $3 where client_uuid = $1",
        client_uuid,
        settings,
        verify_mode.value,
    )


async def write_origins(tx: Transaction, client_uuid: UUID, origins: tuple[str, ...]) -> None:
    """From where web pages may call."""
    await tx.execute("delete from client_origin where client_uuid = $1 and origin <> all($2)", client_uuid, origins)
    await tx.execute(
        "insert into client_origin (client_uuid, origin) select $1, unnest($2::text[]) on conflict do nothing",
        client_uuid,
        origins,
    )


async def is_origin(tx: Transaction, origin: str) -> bool:
    """Whether any client has it; needs no tenant."""
    return bool(await tx.fetchval("select exists (select from client_origin where origin = $1)", origin))


async def directory(tx: Transaction, cursor: str | None, limit: int) -> list[Entry]:
    """Entries of a page and one more, newest first; needs no tenant."""
    return await tx.rows(
        Entry,
        """
        select client_uuid, created_at from client_directory where (created_at, client_uuid) < ($1, $2)
        order by created_at desc, client_uuid desc limit $3
        """,
        *pages.position(cursor, newest_first=True),
        pages.rows_to_ask(limit),
    )
