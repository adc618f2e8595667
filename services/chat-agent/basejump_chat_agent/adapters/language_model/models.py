"""Language models by `provider:model`, with the keys and addresses that the operator gave."""

import os
from typing import Any

from langchain.agents.middleware import ModelRequest
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from basejump_chat_agent.domain import failures
from basejump_chat_agent.settings import ModelSettings

_OPENAI, _ANTHROPIC = "openai", "anthropic"


class Models:
    """Each model is made once and kept with its connections."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._made: dict[str, BaseChatModel] = {}

    def get(self, name: str) -> BaseChatModel:
        """Raises CannotGoOn when its provider isn't installed, unknown or lacks its key."""
        if name not in self._made:
            try:
                self._made[name] = init_chat_model(name, **self._arguments(name.partition(":")[0]))
            except Exception as error:
                # Each provider checks its settings in its own way: a key that is missing is an error of its own type.
                raise failures.model_misconfigured(name) from error
        return self._made[name]

    def addressed(self, request: ModelRequest[Any], name: str) -> ModelRequest[Any]:
        """The request, as it is put to that model. Raises as `get`."""
        model = self.get(name)
        if not (request.tools and getattr(model, "use_responses_api", None) is False):
            return request.override(model=model)
        # OpenAI's client would look through every word of each tool, for each call; this it sends as it is.
        return request.override(model=model, tools=[], model_settings={"extra_body": {"tools": request.tools}})

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
            given["http_async_client"] = _client_of_openai()
            if settings.openai_api_key is not None:
                given["api_key"] = settings.openai_api_key.reveal()
        if provider == _ANTHROPIC:
            if settings.anthropic_base_url:
                given["base_url"] = settings.anthropic_base_url
            if settings.anthropic_api_key is not None:
                given["api_key"] = settings.anthropic_api_key.reveal()
        return given


def _client_of_openai() -> Any:
    from openai import DefaultAsyncHttpxClient

    from basejump_chat_agent.adapters.language_model.joining import join_pieces

    return DefaultAsyncHttpxClient(event_hooks={"response": [join_pieces]})
