"""Answers with a language model: langchain's agent with our tools, every step of which is kept."""

from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from datetime import UTC, datetime
from typing import Any

import langsmith
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, HumanMessage

from basejump_chat_agent import prompts
from basejump_chat_agent.adapters.language_model.bounds import Ears
from basejump_chat_agent.adapters.language_model.calling import Calling
from basejump_chat_agent.adapters.language_model.models import Models
from basejump_chat_agent.adapters.language_model.steps import Steps
from basejump_chat_agent.adapters.language_model.thoughts import Thoughts
from basejump_chat_agent.adapters.language_model.tools import langchain_tools
from basejump_chat_agent.adapters.language_model.work import AtWork, Ended
from basejump_chat_agent.adapters.prices import Prices
from basejump_chat_agent.domain import rendering
from basejump_chat_agent.domain.answerer import Answer, Asked, Toolbox
from basejump_chat_agent.domain.rules import Rules
from basejump_chat_agent.settings import ModelSettings

PLANNER = "language model"


async def _at_once(_in_a_thread: Any, context: Context, trace: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
    """What langchain does to trace a call, which we never do: not worth a thread."""
    return context.run(trace, *args, **more)


langsmith.set_runtime_overrides(aio_to_thread=_at_once)


class LanguageModels:
    """One agent for all questions, whichever model each is answered by."""

    def __init__(self, settings: ModelSettings) -> None:
        self._models = Models(settings)
        self._history_tokens = settings.history_tokens
        calling = Calling(self._models, settings.llm_retries, settings.llm_call_seconds)
        self._steps = Steps(calling, Prices(settings.llm_prices), settings.llm_output_tokens)
        self._agent: Any = None

    async def answerer(self, rules: Rules) -> "LanguageModelAnswerer":
        """By the models of the rules. Raises CannotGoOn."""
        if self._agent is None:
            # The model given here only has a place to fill: each call says which one it means.
            model = await self._models.get(rules.llm)
            self._agent = create_agent(model, langchain_tools(), middleware=[self._steps], context_schema=AtWork)
        return LanguageModelAnswerer(self._agent, rules, self._history_tokens)


class LanguageModelAnswerer:
    """Answers one question."""

    def __init__(self, agent: Any, rules: Rules, history_tokens: int) -> None:
        self._agent = agent
        self._rules = rules
        self._history_tokens = history_tokens

    async def answer(self, asked: Asked, tools: Toolbox) -> Answer:
        """See `Answerer.answer`."""
        tools.meter.planner = PLANNER
        tools.meter.prompts_version = prompts.version()
        work = AtWork(asked=asked, tools=tools, rules=self._rules)
        thoughts = Thoughts(work)
        config = {"recursion_limit": 4 * self._rules.limits.steps + 10, "callbacks": [Ears()]}
        said = self._agent.astream(self._opening(asked, tools), config, context=work, stream_mode="messages")
        with suppress(Ended):
            async for message, _ in said:
                if isinstance(message, AIMessageChunk):
                    await thoughts.hear(message)
        return work.answer()

    def _opening(self, asked: Asked, tools: Toolbox) -> dict[str, Any]:
        system = prompts.text("system").format(
            dialect=asked.dialect, database=asked.database, today=datetime.now(UTC).date()
        )
        question = rendering.question(
            asked, prompts.text("question"), shows_rows=tools.shows_rows, room=self._history_tokens
        )
        return {"messages": [("system", system), HumanMessage(question)]}
