"""Questions that share no words, which the scripted model server calls alike and answers."""

import json

from basejump_devstack.model_server import ModelServer
from verified_house import HOW_MANY

CLIENTELE = "What is the size of our clientele?"
IN_2019 = "What was the size of our clientele in 2019?"
STOCK = "What is the volume of sales?"
WITHOUT = "What is the size of our clientele without a city?"
WHOLE = "What is the size of our whole clientele?"
COUNT, PURCHASES = "select count(*) as n from shop.customer", "select count(*) as n from shop.purchase"


def rule(asked: str, sql: str) -> str:
    """The model answers such a question by that statement."""
    arguments = f'{{ reading = "number of customers", sql = "{sql}" }}'
    return f"""
[[rule]]
asked = "question: {asked}"
[[rule.step]]
say = "It is about 4711 people."
call = [{{ tool = "run_sql", arguments = {arguments} }}]
"""


SCRIPT = f"alike = {json.dumps([[HOW_MANY, CLIENTELE, IN_2019, STOCK, WITHOUT]])}\n" + "".join(
    [
        rule("how many customers", COUNT),
        rule("count the number", COUNT),
        rule("what (is|was) the size of our (whole )?clientele", COUNT),
        rule("what is the volume", PURCHASES),
    ]
)


def model_settings(url: str, **more: str) -> dict[str, str]:
    return {"llm": "openai:scripted", "openai_base_url": url, "openai_api_key": "any"} | more


def embedded(server: ModelServer, since: int) -> list[list[str]]:
    """The texts of each request for embeddings after so many requests."""
    fresh = list(server.log.requests)[-(server.log.total - since) :] if server.log.total > since else []
    return [json.loads(one.body)["input"] for one in fresh if one.path == "/v1/embeddings"]
