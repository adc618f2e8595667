"""Language models by `provider:model`, with the keys and addresses that the operator gave."""

import asyncio
import os
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from basejump_chat_agent.adapters.importing import alone
from basejump_chat_agent.domain import failures
from basejump_chat_agent.settings import ModelSettings

_OPENAI, _ANTHROPIC = "openai", "anthropic"


class Models:
    """Each model is made once and kept with its connections."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._made: dict[str, BaseChatModel] = {}

    async def get(self, name: str) -> BaseChatModel:
        """Raises CannotGoOn when its provider isn't installed, unknown or lacks its key."""
        if name not in self._made:
            try:
                made = await asyncio.to_thread(alone, lambda: self._make(name, name.partition(":")[0]))
            except Exception as error:
                # Each provider checks its settings in its own way: a key that is missing is an error of its own type.
                raise failures.model_misconfigured(name) from error
            self._made.setdefault(name, made)
        return self._made[name]

    def _make(self, name: str, provider: str) -> BaseChatModel:
        model: BaseChatModel = init_chat_model(name, **self._arguments(provider))
        if provider == _OPENAI:
            from basejump_chat_agent.adapters.language_model.openai_client import send_as_it_is

            send_as_it_is(model)
        if provider == _ANTHROPIC:
            from basejump_chat_agent.adapters.language_model.anthropic_client import use_http_client

            use_http_client(model)
        return model

    def _arguments(self, provider: str) -> dict[str, Any]:
        settings = self._settings
        # We retry ourselves: for all providers alike, told to the person, and within the question's time.
        given: dict[str, Any] = {
            "max_retries": 0,
            "timeout": settings.llm_call_seconds,
            "max_tokens": settings.llm_output_tokens,
        }
        if provider == _OPENAI:
            address = settings.openai_base_url or os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
            if address:
                # Some names switch to the responses API, which what stands behind another address rarely speaks.
                given |= {"base_url": address, "use_responses_api": False, "stream_usage": True}
            from basejump_chat_agent.adapters.language_model.openai_client import http_client

            given["http_async_client"] = http_client()
            if settings.openai_api_key is not None:
                given["api_key"] = settings.openai_api_key.reveal()
        if provider == _ANTHROPIC:
            if settings.anthropic_base_url:
                given["base_url"] = settings.anthropic_base_url
            if settings.anthropic_api_key is not None:
                given["api_key"] = settings.anthropic_api_key.reveal()
        return given
