"""A model server that plays scripts: OpenAI's and Anthropic's HTTP protocols, for tests and for offline development.

async with ModelServer(load_script(path)) as server:
    ChatOpenAI(base_url=server.openai_url, api_key="any", model="scripted", ...)
    ChatAnthropic(base_url=server.anthropic_url, api_key="any", model="scripted", ...)
    server.log.requests       # what the model was sent, and what became of it

`script.py` says what a script can hold; `scripts/` has the one of the quickstart.
"""

from pathlib import Path

from basejump_devstack.model_server.log import RequestLog, Served
from basejump_devstack.model_server.script import Script, ScriptError, load_script
from basejump_devstack.model_server.server import ModelServer

QUICKSTART = Path(__file__).parent / "scripts" / "quickstart.toml"
"""Answers the questions of examples/quickstart.py about the demo database."""

__all__ = ["QUICKSTART", "ModelServer", "RequestLog", "Script", "ScriptError", "Served", "load_script"]
