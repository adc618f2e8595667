"""SQL of chats. Every function takes the tenant's transaction; `user_uuid` None means: of any user of the client."""

from typing import TypeVar
from uuid import UUID

from basejump_common.contracts.chat import Chat, CreateChat, Message, UpdateChat
from basejump_common.errors import NotFound
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

C = TypeVar("C", bound=Chat)

_INSERT = """
    insert into chat (chat_uuid, client_uuid, team_uuid, user_uuid, history) values ($1, $2, $3, $4, $5) returning *
"""
_LIST = """
    select * from chat
    where ($1::uuid is null or user_uuid = $1) and (created_at, chat_uuid) < ($2, $3)
    order by created_at desc, chat_uuid desc limit $4
"""
_UPDATE = """
    update chat
    set chat_name = coalesce($3, chat_name), chat_description = coalesce($4, chat_description), updated_at = now()
    where chat_uuid = $1 and user_uuid = $2
    returning *
"""
# The first question names the chat. The row's lock puts asking, stopping and deleting in one order.
_ASKED = """
    update chat set chat_name = coalesce(chat_name, left($3, 200)), updated_at = now()
    where chat_uuid = $1 and user_uuid = $2
    returning *, (
        select case when message ->> 'msg_type' = 'clarification' then message end from prompt
        where prompt.chat_uuid = $1 order by asked_at desc, msg_uuid desc limit 1
    ) as asked_back
"""
_LOCK_TO_DELETE = """
    select * from chat
    where chat_uuid = $1 and (user_uuid = $2 or ($3 and orphan_type = 'user_deleted')) for no key update
"""
_LOCK = "select * from chat where chat_uuid = $1 and user_uuid = $2 for no key update"


class AskedChat(Chat, frozen=True, kw_only=True):
    """`asked_back`: the message that came last, where it is a clarification."""

    asked_back: Message | None


async def insert(tx: Transaction, client_uuid: UUID, user_uuid: UUID, chat_uuid: UUID, request: CreateChat) -> Chat:
    """A new chat."""
    chat = await tx.row(Chat, _INSERT, chat_uuid, client_uuid, request.team_uuid, user_uuid, request.messages)
    assert chat is not None
    return chat


async def get(tx: Transaction, chat_uuid: UUID, user_uuid: UUID | None) -> Chat:
    """Raises NotFound."""
    return _there(
        await tx.row(
            Chat,
            "select * from chat where chat_uuid = $1 and ($2::uuid is null or user_uuid = $2)",
            chat_uuid,
            user_uuid,
        )
    )


async def newest(tx: Transaction, user_uuid: UUID | None, after: pages.Position, count: int) -> list[Chat]:
    """Newest first, those before `after`."""
    return await tx.rows(Chat, _LIST, user_uuid, *after, count)


async def update(tx: Transaction, user_uuid: UUID, request: UpdateChat) -> Chat:
    """Change what is given. Raises NotFound."""
    return _there(
        await tx.row(Chat, _UPDATE, request.chat_uuid, user_uuid, request.chat_name, request.chat_description)
    )


async def asked(tx: Transaction, chat_uuid: UUID, user_uuid: UUID, question: str) -> AskedChat:
    """Note that its owner asked a question. Raises NotFound."""
    return _there(await tx.row(AskedChat, _ASKED, chat_uuid, user_uuid, question))


async def lock(tx: Transaction, chat_uuid: UUID, user_uuid: UUID) -> Chat:
    """Nothing new is asked in it until `tx` ends. Raises NotFound."""
    return _there(await tx.row(Chat, _LOCK, chat_uuid, user_uuid))


async def lock_to_delete(tx: Transaction, chat_uuid: UUID, user_uuid: UUID, *, orphans: bool) -> Chat:
    """As `lock`; with `orphans` also one whose user is gone. Raises NotFound."""
    return _there(await tx.row(Chat, _LOCK_TO_DELETE, chat_uuid, user_uuid, orphans))


async def orphan_of_user(tx: Transaction, user_uuid: UUID) -> None:
    """The user of these chats is gone."""
    await tx.execute("update chat set orphan_type = 'user_deleted' where user_uuid = $1", user_uuid)


async def orphan_of_team(tx: Transaction, team_uuid: UUID) -> None:
    """The team of these chats is gone."""
    await tx.execute(
        "update chat set orphan_type = 'team_deleted' where team_uuid = $1 and orphan_type is null", team_uuid
    )


async def delete(tx: Transaction, chat_uuid: UUID) -> None:
    """With its prompts and messages; its results stay."""
    await tx.execute("delete from chat where chat_uuid = $1", chat_uuid)


def _there(chat: C | None) -> C:
    if chat is None:
        raise NotFound("no such chat")
    return chat
