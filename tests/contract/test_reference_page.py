"""The interactive reference draws every call, in a JavaScript engine with as much of a page as it uses."""

import json
from importlib.resources import files
from typing import Any

import pytest
from py_mini_racer import MiniRacer

from basejump_gateway.openapi import document
from basejump_gateway.routes import ROUTES
from basejump_gateway.versions import VERSIONS, Retirement, Served

PAGE = """
class Element {
  constructor(tag) { Object.assign(this, {tag, attributes: {}, children: [], dataset: {}, told: {}}); }
  setAttribute(name, value) { this.attributes[name] = value; if (name === "data-text") this.dataset.text = value; }
  append(...children) { this.children.push(...children); }
  addEventListener(name, tell) { this.told[name] = tell; }
  *all() { yield this; for (const child of this.children) if (child instanceof Element) yield* child.all(); }
  text() { return this.children.map((child) => child instanceof Element ? child.text() : child).join(" "); }
}
class AbortController {}
const places = {};
const document = {
  createElement: (tag) => new Element(tag),
  getElementById: (id) => places[id] ??= new Element(id),
  querySelectorAll: () => [...places.contents.all()].filter(({tag}) => tag === "a"),
};
const location = {hash: ""};
const settled = (value, error) => ({
  then: (tell) => {
    try { return error ? settled(null, error) : settled(tell(value)); } catch (thrown) { return settled(null, thrown); }
  },
  catch: (tell) => error && tell(error),
});
const fetch = (url) => settled({json: () => JSON.parse(openapi[url])});
"""
DRAWN = """JSON.stringify([...(places.calls?.all() ?? [])].filter(({tag}) => tag === "article").map((article) => [
    article.attributes.id, article.text(), [...article.all()].some(({tag}) => tag === "form")]))"""


def drawn(openapi: bytes) -> tuple[list[Any], str]:
    """What the page shows of each call, and what it says above them."""
    script = (files("basejump_gateway") / "reference" / "reference.js").read_text()
    with MiniRacer() as engine:  # (one that isn't closed keeps the process from ending)
        engine.eval(f"const openapi = {json.dumps({'/api/openapi.json': openapi.decode()})};{PAGE}{script}; 0")
        return json.loads(str(engine.eval(DRAWN))), str(engine.eval("places.introduction.text()"))


@pytest.fixture(scope="module")
def openapi() -> bytes:
    return document(Served(VERSIONS, Retirement()))


def test_every_call_is_drawn_with_a_form_to_try_it(openapi: bytes) -> None:
    articles, said = drawn(openapi)
    assert "can't be shown" not in said
    assert sorted(name for name, _, _ in articles) == sorted(route.operation.name for route in ROUTES)
    assert all(has_form for _, _, has_form in articles)
    texts = {name: text for name, text, _ in articles}
    assert "Answer (text/event-stream)" in texts["chat.stream.open"]
    assert "Answer (text/csv)" in texts["result.result.csv"]
    assert "Credential: access token" in texts["chat.message.ask"]
    assert "There are 107 employees." in texts["chat.message.ask"]


def test_a_document_that_is_none_is_said_to_be_so() -> None:
    assert "can't be shown" in drawn(b"{}")[1]
