"""What a model says before it has a result is thought aloud, sentence by sentence, as it comes."""

import re

from langchain_core.messages import AIMessageChunk

from basejump_chat_agent.adapters.language_model.bounds import as_text
from basejump_chat_agent.adapters.language_model.work import AtWork
from basejump_chat_agent.domain import rendering

_SENTENCE = re.compile(r".+?(?:[.!?…:](?=\s)|\n)", re.DOTALL)
_LONGEST = 2_000
_MOST = 50
"""Of one turn: each is published, and who reads them has read enough."""


class Thoughts:
    """Words that come once there is a result may be the answer: they are checked before anybody sees them."""

    def __init__(self, work: AtWork) -> None:
        self._work = work
        self._heard = ""
        self._turn = self._told = 0

    async def hear(self, chunk: AIMessageChunk) -> None:
        """The next piece of a turn."""
        if self._work.latest is not None:
            return
        if self._turn != self._work.turns:
            self._turn, self._heard, self._told = self._work.turns, "", 0
        self._heard += rendering.plain(chunk.content)
        while self._told < _MOST and (sentence := _SENTENCE.match(self._heard)) is not None:
            self._heard = self._heard[sentence.end() :]
            await self._think(sentence[0])
        if chunk.tool_call_chunks or len(self._heard) > _LONGEST:
            said, self._heard = self._heard, ""
            await self._think(said)

    async def _think(self, said: str) -> None:
        if said.strip() and self._told < _MOST:
            self._told += 1
            await self._work.tools.think(as_text(said.strip()))
