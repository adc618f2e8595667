"""OpenAI's client, without what it would do to every word: a fifth of what a turn takes of the processor."""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from openai import AsyncStream, DefaultAsyncHttpxClient
from openai.resources.chat.completions import AsyncCompletions

from basejump_chat_agent.adapters.language_model.joining import join_pieces

_OPTIONS = {"extra_headers": "headers", "extra_query": "params", "extra_body": "extra_json", "timeout": "timeout"}
"""What is said of a request beside its body, and what `AsyncOpenAI.post` calls it."""


def http_client() -> DefaultAsyncHttpxClient:
    """Gives streams in few pieces."""
    return DefaultAsyncHttpxClient(event_hooks={"response": [join_pieces]})


def send_as_it_is(model: BaseChatModel) -> None:
    """From now on."""
    assert isinstance(model, ChatOpenAI)
    model.async_client = _Completions(model.root_async_client)


class _Completions(AsyncCompletions):
    async def create(self, **payload: Any) -> Any:
        """A body that langchain has made is what the protocol wants; of its pieces langchain takes dictionaries too."""
        if not payload.get("stream"):
            return await super().create(**payload)
        options: Any = {ours: payload.pop(theirs) for theirs, ours in _OPTIONS.items() if theirs in payload}
        asked = {"body": payload, "options": options | {"security": {"bearer_auth": True}}, "cast_to": object}
        return await self._client.post("/chat/completions", stream=True, stream_cls=AsyncStream[object], **asked)
