"""Every block of code in the documents is run by a test; what needs no server is run here."""

import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from basejump_chat_agent.domain.webhooks import new_secret, signed_headers
from basejump_devstack.model_server.script import parse_script
from basejump_gateway.binding import Binder
from basejump_gateway.routes import ROUTES
from documents import ROOT, RUN_ALL, RUN_BY, Block, blocks, the


def place(block: Block) -> str:
    return block.place


@pytest.mark.parametrize("block", blocks(), ids=place)
def test_every_block_is_run_by_a_test(block: Block) -> None:
    if not block.language:
        assert not re.search(r"^\$ ", block.text, re.MULTILINE), f"{block.place}: a transcript is `console`"
        return
    known = RUN_ALL.keys() | {language for document, language in RUN_BY if document == block.document}
    assert block.language in known, (
        f"{block.place}: no test runs this {block.language}. Write one that takes it by "
        f'the("{block.document}", "{block.language}"), and name it in tests/documents.py'
    )


@pytest.mark.parametrize("test", sorted({*RUN_ALL.values(), *RUN_BY.values()}))
def test_what_is_named_exists_and_takes_its_block(test: str) -> None:
    path, _, name = test.partition("::")
    source = (ROOT / path).read_text()
    assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE)
    for document, language in (key for key, by in RUN_BY.items() if by == test):
        assert f'the("{document}", "{language}")' in source
        assert the(document, language)
    for language in (key for key, by in RUN_ALL.items() if by == test):
        assert f'blocks("{language}")' in source


@pytest.mark.parametrize("block", blocks("json"), ids=place)
def test_json_is_a_request_of_its_call(block: Block) -> None:
    calls = {f"{route.method} {route.path}": route for route in ROUTES}
    assert block.about in calls, f"{block.place}: write ```json METHOD /path/ for the call that it is a body of"
    route = calls[block.about]
    binder = Binder(route.operation.takes, query=route.queried, body=route.fields)
    bound = binder.bind({name: str(uuid4()) for name in route.parameters}, b"", block.text.encode())
    assert isinstance(bound, route.operation.takes)


def test_the_script_is_played_as_it_says() -> None:
    (rule,) = parse_script(the("docs/model-server.md", "toml").encode()).rules
    assert rule.asked is not None
    assert [bool(step.calls) for step in rule.steps] == [True, False]


def test_webhooks_are_verified_as_documented() -> None:
    code = the("docs/webhooks.md", "python")
    assert len(code.strip().splitlines()) <= 10
    defined: dict[str, Any] = {}
    exec(code, defined)  # (our own document)
    is_genuine = defined["is_genuine"]
    old, new, body = new_secret(), new_secret(), b'{"content": "107"}'
    headers = signed_headers(body, "a-b", int(time.time()), [new, old])
    assert is_genuine(new.reveal(), headers, body)
    assert is_genuine(old.reveal(), headers, body)
    assert not is_genuine(new_secret().reveal(), headers, body)
    assert not is_genuine(new.reveal(), headers, body + b" ")
    assert not is_genuine(new.reveal(), signed_headers(body, "a-b", int(time.time()) - 301, [new]), body)


def test_links_lead_somewhere_and_every_document_is_linked() -> None:
    linked = {ROOT / "README.md"}
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", path.read_text()):
            found = (path.parent / target).resolve() if target else path
            assert found.exists(), f"{path.name}: {target}"
            headings = [re.sub(r"[^\w -]", "", line.lstrip("# ").lower()) for line in _headings(found) if anchor]
            assert not anchor or anchor in [heading.replace(" ", "-") for heading in headings], (
                f"{path.name}: #{anchor}"
            )
            linked.add(found)
    assert set((ROOT / "docs").rglob("*.md")) <= linked


def _headings(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("#")]
