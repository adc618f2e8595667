"""Who answers a question: the language model that the message, the client or the installation names, or none."""

import asyncio
import gc
import importlib
import os
from typing import Any

from basejump_chat_agent.adapters.builtin_answerer import BuiltinAnswerer
from basejump_chat_agent.adapters.importing import alone
from basejump_chat_agent.adapters.indexer import background_context
from basejump_chat_agent.domain import failures
from basejump_chat_agent.domain.answerer import Answerer
from basejump_chat_agent.domain.prompt import Asker
from basejump_chat_agent.domain.rules import BUILT_IN, AllowedModels, Limits, Rules, narrower
from basejump_chat_agent.settings import ModelSettings
from basejump_common.bus import Context
from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.contracts.client_settings import VerifyMode
from basejump_common.errors import DeadlineExceeded, InvalidInput, Unavailable

# Nothing about a question or its rows goes to anybody but the model's provider.
os.environ["LANGSMITH_TRACING"] = "false"

_LANGUAGE_MODELS = "basejump_chat_agent.adapters.language_model.answerer"


class Answerers:
    """`of` the rules of a question. What language models need is imported with the first question for one, since it
    takes seconds and 100 MB; `warm_up` does it beforehand where the installation answers by one."""

    def __init__(self, settings: ModelSettings, clients: SettingsOfClients) -> None:
        self._clients = clients
        self._settings = settings
        self._allowed = AllowedModels(settings.allowed_llms, settings.llm, settings.fallback_llm)
        self._builtin = BuiltinAnswerer()
        self._models: Any = None
        self._importing = asyncio.Lock()

    async def of(self, rules: Rules) -> Answerer:
        """The one that answers. Raises CannotGoOn."""
        if rules.llm == BUILT_IN:
            return self._builtin
        answerer: Answerer = await (await self._language_models()).answerer(rules)
        return answerer

    async def warm_up(self) -> None:
        """Import what the installation's language model needs."""
        if self._settings.llm:
            await self._language_models()

    async def check(self, llm: str, context: Context) -> None:
        """Whether a message of the caller may ask for this model. Raises InvalidInput and Unavailable."""
        client = (await self._clients.choices(context.caller.tenant, context)).settings
        if not client.allow_llm_per_message:
            raise InvalidInput.field("llm", "the client's settings don't allow to choose a model for a message")
        if llm not in self._allowed and llm != client.llm:
            raise InvalidInput.field("llm", "not one of the models that may be used here")

    async def at_once(self, context: Context) -> int | None:
        """How many questions the caller's client lets be answered at a time; None where it says nothing, or nobody can
        say: then the installation's limit alone holds."""
        try:
            return (await self._clients.choices(context.caller.tenant, context)).settings.questions_at_once
        except (Unavailable, DeadlineExceeded):
            return None

    async def rules(self, llm: str | None, asker: Asker) -> Rules:
        """What holds for a question that may ask for a model itself. Raises CannotGoOn and Unavailable."""
        settings = self._settings
        choices = await self._clients.choices(asker.client_uuid, background_context(asker))
        client = choices.settings
        chosen = llm or client.llm or settings.llm or BUILT_IN
        fallback = client.fallback_llm or settings.fallback_llm
        for name in (chosen, fallback):
            if name not in self._allowed:
                raise failures.model_not_allowed(name)
        return Rules(
            llm=chosen,
            fallback_llm=fallback,
            shows_rows=client.send_preview_to_llm,
            strict=choices.verify_mode is VerifyMode.STRICT,
            limits=Limits(
                steps=settings.question_steps,
                repairs=settings.question_repairs,
                tokens_per_question=narrower(settings.question_tokens, client.tokens_per_question),
                cost_per_question=client.cost_per_question_usd,
                seconds_per_question=narrower(settings.question_seconds, client.seconds_per_question),
                tokens_per_day=client.tokens_per_day,
                cost_per_day=client.cost_per_day_usd,
            ),
        )

    async def _language_models(self) -> Any:
        async with self._importing:
            if self._models is None:
                self._models = (await asyncio.to_thread(alone, _imported)).LanguageModels(self._settings)
            return self._models


def _imported() -> Any:
    module = importlib.import_module(_LANGUAGE_MODELS)
    # Half a million objects that stay: every full collection would look at each of them, a tenth of a second long.
    gc.collect()
    gc.freeze()
    return module
