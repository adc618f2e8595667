"""Conversations of a member with chat-agent, over a real database: questions in, final messages out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from basejump_common.contracts import chat
from basejump_common.contracts.chat import Ask, Chat, CreateChat, Message
from chatting import Heard, Person, asking, member_of
from connection_house import Office


@dataclass(frozen=True)
class Talk:
    """A chat of a member whose team may query something."""

    office: Office
    member: Person
    chat: Chat

    @asynccontextmanager
    async def asking(self, question: str, **fields: Any) -> AsyncIterator[tuple[Message, Heard]]:
        ask = Ask(chat_uuid=self.chat.chat_uuid, prompt=question, **fields)
        async with asking(self.office.member.bus, self.member, ask) as asked:
            yield asked

    async def answer(self, question: str, **fields: Any) -> Message:
        """The final message; the same as is kept, and the only one."""
        async with self.asking(question, **fields) as (initial, heard):
            final = await heard.final()
        by_uuid = chat.ByMessage(msg_uuid=initial.msg_uuid)
        assert await self.office.member.call(chat.GET_MESSAGE, by_uuid) == final
        assert heard.finals == [final]
        return final


async def talk_of(office: Office) -> Talk:
    opened = await office.member.call(chat.CREATE_CHAT, CreateChat(team_uuid=office.team_uuid))
    return Talk(office, member_of(office.tenant, office.member), opened)
