"""Chats: create, list, read, rename, stop, delete."""

from uuid import UUID, uuid4

from basejump_chat_agent.access import listing_scope, reading_scope
from basejump_chat_agent.adapters import chat_rows, expiry_rows
from basejump_chat_agent.endings import announce_deletion
from basejump_chat_agent.stopping import Stopping
from basejump_common.bus import Bus, Context
from basejump_common.contracts import account
from basejump_common.contracts.chat import ByChat, Chat, ChatPage, CreateChat, ListChats, UpdateChat
from basejump_common.contracts.common import Done
from basejump_common.contracts.result import ResultOrphanType
from basejump_common.errors import NotFound
from basejump_common.security.principal import Role
from basejump_common.storage import pages
from basejump_common.storage.database import Database


class Chats:
    """A chat belongs to the user who created it; an ADMIN may read those of the whole client, and delete those whose
    user is gone."""

    def __init__(self, database: Database, bus: Bus, stopping: Stopping) -> None:
        self._database = database
        self._bus = bus
        self._stopping = stopping

    async def create(self, context: Context, request: CreateChat) -> Chat:
        """Raises NotFound unless the caller belongs to the team."""
        caller = context.caller
        await self._check_member(context, request.team_uuid, caller.user)
        async with self._database.tenant(caller.tenant) as tx:
            return await chat_rows.insert(tx, caller.tenant, caller.user, uuid4(), request)

    async def list(self, context: Context, request: ListChats) -> ChatPage:
        """Newest first. Raises Forbidden."""
        caller = context.caller
        user = listing_scope(caller, request)
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(caller.tenant) as tx:
            rows = await chat_rows.newest(tx, user, after, pages.rows_to_ask(request.limit))
        data, next_cursor = pages.page(rows, request.limit, lambda chat: (chat.created_at, chat.chat_uuid))
        return ChatPage(data=data, next_cursor=next_cursor)

    async def get(self, context: Context, request: ByChat) -> Chat:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await chat_rows.get(tx, request.chat_uuid, reading_scope(context.caller))

    async def update(self, context: Context, request: UpdateChat) -> Chat:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await chat_rows.update(tx, context.caller.user, request)

    async def stop(self, context: Context, request: ByChat) -> Done:
        """Stops all that runs in it. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            await chat_rows.lock(tx, request.chat_uuid, context.caller.user)
            stopped = await self._stopping.stop(tx, request.chat_uuid, context)
        await self._stopping.tell(stopped, context)
        return Done()

    async def delete(self, context: Context, request: ByChat) -> Done:
        """Stops all that runs in it, then deletes it with its messages: one's own, or, by an ADMIN, one whose user is
        gone. Raises NotFound."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            orphans = caller.role.at_least(Role.ADMIN)
            await chat_rows.lock_to_delete(tx, request.chat_uuid, caller.user, orphans=orphans)
            stopped = await self._stopping.stop(tx, request.chat_uuid, context)
            await expiry_rows.orphan(tx, ResultOrphanType.CHAT_DELETED, request.chat_uuid)
            await chat_rows.delete(tx, request.chat_uuid)
            await announce_deletion(tx, caller.tenant, request.chat_uuid)
        await self._stopping.tell(stopped, context)
        return Done()

    async def _check_member(self, context: Context, team_uuid: UUID, user_uuid: UUID) -> None:
        question = account.CheckMembership(team_uuid=team_uuid, user_uuid=user_uuid)
        if not (await self._bus.call(account.CHECK_MEMBERSHIP, question, context)).member:
            raise NotFound("no such team, or you are not in it")
