"""The real langchain clients of both protocols, before the scripted model server."""

from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from basejump_devstack.model_server import ModelServer, Script
from basejump_devstack.model_server.script import parse_script

PROTOCOLS = ("openai", "anthropic")


def client(protocol: str, server: ModelServer, **given: Any) -> BaseChatModel:
    """A client that asks the server's model."""
    settings: dict[str, Any] = {"model": "scripted", "api_key": "any", "max_retries": 0, **given}
    if protocol == "anthropic":
        return ChatAnthropic(base_url=server.anthropic_url, **settings)
    return ChatOpenAI(base_url=server.openai_url, use_responses_api=False, stream_usage=True, **settings)


def script(toml: str) -> Script:
    """A script as its file would say it."""
    return parse_script(toml.encode())
