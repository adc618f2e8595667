"""The Python in the documents does what it says."""

import re
import time
from pathlib import Path
from typing import Any

from basejump_chat_agent.domain.webhooks import new_secret, signed_headers

DOCS = Path(__file__).parents[2] / "docs"


def example(name: str) -> dict[str, Any]:
    """What the only Python example of a document defines."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)
    assert len(code.strip().splitlines()) <= 10
    defined: dict[str, Any] = {}
    exec(code, defined)  # (our own document)
    return defined


def test_webhooks_are_verified_as_documented() -> None:
    is_genuine = example("webhooks.md")["is_genuine"]
    old, new, body = new_secret(), new_secret(), b'{"content": "107"}'
    headers = signed_headers(body, "a-b", int(time.time()), [new, old])
    assert is_genuine(new.reveal(), headers, body)
    assert is_genuine(old.reveal(), headers, body)
    assert not is_genuine(new_secret().reveal(), headers, body)
    assert not is_genuine(new.reveal(), headers, body + b" ")
    assert not is_genuine(new.reveal(), signed_headers(body, "a-b", int(time.time()) - 301, [new]), body)
