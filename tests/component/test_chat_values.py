"""Questions with words that no row has: put right, asked about, or said to be nowhere, by both planners."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from basejump_common.contracts.chat import Message, MessageType
from basejump_devstack.model_server import ModelServer, load_script
from component.test_chat_language_model import Shop, model_settings, set_for_client
from connection_house import SHOP, Customer, Desk, connected
from customers import Customers
from installation import Installation
from talking import talk_of

SCRIPT = Path(__file__).parent.parent / "scripts" / "values.toml"
TOWNS = "insert into shop.customer values (4, 'Di', 'Hamar'), (5, 'Eve', 'Hamaro'), (6, 'Flo', 'Zürich')"
STORED = ("Bergen", "Hamar", "Hamaro", "Zürich")
BUILT_IN = {"llm": "built-in"}


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("values-desk")
    async with connected(installation, folder / "tls", results_url=(folder / "results").as_uri()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(load_script(SCRIPT)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def agent(installation: Installation, server: ModelServer) -> AsyncIterator[None]:
    settings = model_settings("openai", server) | {"allowed_llms": "built-in", "question_steps": "10"}
    async with installation.running("chat-agent", **settings):
        yield


@pytest.fixture(scope="module")
async def customer(desk: Desk) -> Customer:
    customer = await desk.customer(SHOP)
    await customer.execute(TOWNS)
    return customer


@pytest.fixture(scope="module")
async def opened(desk: Desk, agent: None, server: ModelServer, customer: Customer) -> Shop:
    shop = await shop_of(desk, server, customer)
    await set_for_client(shop, allow_llm_per_message=True)
    return shop


@pytest.fixture
async def shop(opened: Shop) -> Shop:
    return await opened.renewed()


@pytest.fixture(scope="module")
async def hidden(desk: Desk, agent: None, server: ModelServer, customer: Customer) -> Shop:
    """No value of a row may reach a model."""
    shop = await shop_of(desk, server, customer)
    await set_for_client(shop, send_preview_to_llm=False)
    return shop


async def shop_of(desk: Desk, server: ModelServer, customer: Customer) -> Shop:
    office = await desk.office()
    await office.add(desk.fields(customer, database_name_alias="shop"))
    talk = await talk_of(office)
    return Shop(office=talk.office, member=talk.member, chat=talk.chat, server=server)


def asked_back(message: Message) -> tuple[str, tuple[str, ...]]:
    assert message.msg_type is MessageType.CLARIFICATION, message.content
    assert message.clarification is not None
    return message.clarification.question, message.clarification.options


def stored_in(requests: list[str]) -> set[str]:
    """Values of rows in what reached the model."""
    texts = [json.dumps(json.loads(body), ensure_ascii=False) for body in requests]
    return {value for value in STORED for text in texts if re.search(rf"\b{value}\b", text)}


@pytest.mark.parametrize(
    ("question", "content"),
    [
        (
            "How many customers live in Zurich?",
            "There is 1 customer where city is Zürich, taking “Zurich” as “Zürich”.",
        ),
        (
            "How many customers have the city 'ZURICH'?",
            "There is 1 customer where city is Zürich, taking “ZURICH” as “Zürich”.",
        ),
        (
            "How many customers live in Bergens?",
            "There is 1 customer where city is Bergen, taking “Bergens” as “Bergen”.",
        ),
    ],
)
async def test_without_a_model_a_value_of_another_form_is_taken_and_said(
    shop: Shop, question: str, content: str
) -> None:
    answer = await shop.answer(question, **BUILT_IN)
    assert answer.content == content
    assert answer.proof is not None
    assert answer.proof.fully_proved


@pytest.mark.parametrize(
    ("question", "asked", "options"),
    [
        ("How many customers live in Bergn?", "I find no “Bergn” in the data. Which one do you mean?", ("Bergen",)),
        (
            "How many customers have the city 'Hamarr'?",
            "No customer has the city “Hamarr”. Which one do you mean?",
            ("Hamaro", "Hamar", "Hamarr"),
        ),
    ],
)
async def test_without_a_model_values_that_are_near_are_asked_about(
    shop: Shop, question: str, asked: str, options: tuple[str, ...]
) -> None:
    back = await shop.answer(question, **BUILT_IN)
    assert asked_back(back) == (asked, options)
    assert back.clarification is not None
    assert back.clarification.changes[0] == f"It asks for the city {options[0]}."
    answer = await shop.answer(options[0].lower(), parent_msg_uuid=back.msg_uuid, **BUILT_IN)
    assert answer.content == f"There is 1 customer where city is {options[0]}."


@pytest.mark.parametrize("reply", ["yes", "the first one", "1", "Bergen, please"])
async def test_a_short_reply_answers_what_was_asked_right_before_it(shop: Shop, reply: str) -> None:
    back = await shop.answer("How many customers live in Bergn?", **BUILT_IN)
    assert asked_back(back)[1] == ("Bergen",)
    answer = await shop.answer(reply, **BUILT_IN)
    assert answer.content == "There is 1 customer where city is Bergen."
    assert answer.parent_msg_uuid == back.msg_uuid


async def test_a_question_after_a_clarification_is_a_question(shop: Shop) -> None:
    await shop.answer("How many customers live in Bergn?", **BUILT_IN)
    answer = await shop.answer("How many customers live in Hamar?", **BUILT_IN)
    assert answer.content == "There is 1 customer where city is Hamar."
    assert answer.parent_msg_uuid is None


async def test_who_means_what_no_row_has_is_told_so(shop: Shop) -> None:
    back = await shop.answer("How many customers have the city 'Hamarr'?", **BUILT_IN)
    answer = await shop.answer("Hamarr", parent_msg_uuid=back.msg_uuid, **BUILT_IN)
    assert answer.content == "No customer has the city 'Hamarr'. There are 0 customers where city is Hamarr."
    assert answer.proof is not None
    (missing,) = answer.proof.missing_values
    assert (missing.value, missing.closest, missing.same) == ("Hamarr", (), None)
    assert answer.proof.filters[0].why == "'Hamarr' is not a value of customer.city."


@pytest.mark.parametrize(
    ("question", "content"),
    [
        (
            "How many customers have the city 'Utopia'?",
            "No customer has the city 'Utopia'. There are 0 customers where city is Utopia.",
        ),
        (
            "Which customers have a city that contains 'utopia'?",
            "No customer has a city like '%utopia%'.",
        ),
    ],
)
async def test_without_a_model_what_is_like_nothing_is_said_to_be_nowhere(
    shop: Shop, question: str, content: str
) -> None:
    assert (await shop.answer(question, **BUILT_IN)).content.startswith(content)


@pytest.mark.parametrize(
    "question", ["How many customers live in Utopia?", "Will the company make a profit next year?"]
)
async def test_without_a_model_words_that_nothing_is_like_are_declined_as_before(shop: Shop, question: str) -> None:
    assert (await shop.answer(question, **BUILT_IN)).code == "needs_language_model"


async def test_a_model_is_told_what_is_like_a_missing_value_and_mends_it(shop: Shop) -> None:
    with shop.requests() as requests:
        answer = await shop.answer("Mend Bergn")
    assert answer.content == "Customers there: 1."
    assert answer.proof is not None
    assert answer.proof.fully_proved
    assert len(requests) == 2
    assert "No row has 'Bergn' in shop.customer.city. Closest values: <data>" in requests[1]


async def test_a_model_that_insists_gets_its_result_and_the_answer_says_that_there_is_none(shop: Shop) -> None:
    with shop.requests() as requests:
        answer = await shop.answer("Insist on Bergn")
    assert answer.content == "No customer has the city 'Bergn'. Customers in Bergn: 0."
    assert answer.proof is not None
    assert [value.value for value in answer.proof.missing_values] == ["Bergn"]
    assert len(requests) == 2


async def test_what_a_statement_leaves_out_need_not_be_there(shop: Shop) -> None:
    with shop.requests() as requests:
        answer = await shop.answer("All but Bergn")
    assert answer.content == "No customer has the city 'Bergn', so none is left out for that. Customers elsewhere: 6."
    assert answer.proof is not None
    assert {value.value for value in answer.proof.missing_values if value.negated} == {"Bergn"}
    assert len(requests) == 1


async def test_a_model_looks_up_what_is_like_a_word(shop: Shop) -> None:
    with shop.requests() as requests:
        answer = await shop.answer("Find Bergn")
    assert answer.content == "Customers there: 1."
    assert "Not found, but like it" in requests[1]


async def test_where_no_row_may_reach_the_model_the_person_chooses(hidden: Shop) -> None:
    shop = await hidden.renewed()
    with shop.requests() as requests:
        back = await shop.answer("Insist on Hamarr")
        assert asked_back(back)[1] == ("Hamaro", "Hamar", "Hamarr")
    assert len(requests) == 2
    assert "No row has 'Hamarr' in shop.customer.city." in requests[1]
    assert stored_in(requests) == set()
    with shop.requests() as requests:
        answer = await shop.answer("Hamaro", parent_msg_uuid=back.msg_uuid)
    assert answer.content == "Customers in Hamaro: 1."
    assert stored_in(requests) == {"Hamaro"}, "the person's own word"
    with shop.requests() as requests:
        nowhere = await shop.answer("Insist on Utopia")
    assert nowhere.content == "No customer has the city 'Utopia'. Customers in Utopia: 0."
    assert stored_in(requests) <= {"Hamaro"}


async def test_what_is_like_a_value_is_kept_nowhere_once_the_question_is_answered(
    installation: Installation, shop: Shop
) -> None:
    async with shop.asking("Mend Hamarn") as (_, heard):
        final = await heard.final()
    assert final.content == "Customers there: 1."
    told = [message.content for message in heard.messages]
    assert not [text for text in told if re.search(r"\bHamar\b", text)]
    prompt_uuid = str(final.prompt_uuid)
    database = await installation.database()
    try:
        tables = await database.fetch(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables"
            " where schemaname in ('chat_agent', 'connection_indexer')"
        )
        rows = [row[0] for t in tables for row in await database.fetch(f"select t::text from {t['name']} t")]
    finally:
        await database.close()
    kept = [row for row in rows if prompt_uuid in row or "Hamarn" in row]
    assert kept, "the question itself is kept"
    assert not [row for row in kept if re.search(r"\bHamar\b", row)]


@pytest.mark.parametrize("customers", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
async def test_words_that_no_row_has_are_settled_over_mariadb_too(
    desk: Desk, agent: None, server: ModelServer, customers: Customers
) -> None:
    office = await desk.office()
    await office.add(customers.fields(await customers.customer()))
    talk = await talk_of(office)
    shop = Shop(office=office, member=talk.member, chat=talk.chat, server=server)
    await set_for_client(shop, allow_llm_per_message=True)
    back = await shop.answer("How many customers live in Bergn?", **BUILT_IN)
    assert asked_back(back)[1] == ("Bergen",)
    answer = await shop.answer("Bergen", parent_msg_uuid=back.msg_uuid, **BUILT_IN)
    assert answer.content == "There is 1 customer where city is Bergen."
    nowhere = await shop.answer("How many customers have the city 'Utopia'?", **BUILT_IN)
    assert nowhere.content.startswith("No customer has the city 'Utopia'.")
