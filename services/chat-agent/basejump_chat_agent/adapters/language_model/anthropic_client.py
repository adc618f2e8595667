"""Anthropic's client over an HTTP client like the one that is given to OpenAI's: langchain makes its own."""

from typing import Any

from anthropic import DefaultAsyncHttpxClient

from basejump_chat_agent.adapters.language_model.joining import join_pieces


def use_http_client(model: Any) -> None:
    """Gives streams in few pieces, from now on."""
    theirs = model._async_client
    ours = DefaultAsyncHttpxClient(
        base_url=theirs.base_url, timeout=theirs.timeout, event_hooks={"response": [join_pieces]}
    )
    # Where langchain keeps the client that it makes when it is first asked for.
    model.__dict__["_async_client"] = theirs.with_options(http_client=ours)
