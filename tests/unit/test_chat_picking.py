"""Which option of a clarification a reply picks."""

import pytest

from basejump_chat_agent.domain.picking import picked, reply_to
from basejump_common.contracts.chat import Clarification

CITIES = ("Hamaro", "Hamar", "Oslo East")


@pytest.mark.parametrize(
    ("reply", "options", "option"),
    [
        ("hamar", CITIES, "Hamar"),
        ("I mean Hamar, please.", CITIES, "Hamar"),
        ("the east one", CITIES, "Oslo East"),
        ("2", CITIES, "Hamar"),
        ("#3", CITIES, "Oslo East"),
        ("the first one", CITIES, "Hamaro"),
        ("Option 1, please", CITIES, "Hamaro"),
        ("no. 2", CITIES, "Hamar"),
        ("the 2nd", CITIES, "Hamar"),
        ("the last", CITIES, "Oslo East"),
        ("0", CITIES, None),
        ("4", CITIES, None),
        ("the fifth", CITIES, None),
        ("yes", CITIES, None),
        ("yes", ("Hamar",), "Hamar"),
        ("Yes, that one.", ("Hamar",), "Hamar"),
        ("ok", ("Hamar",), "Hamar"),
        ("that one", ("Hamar",), "Hamar"),
        ("no", ("Hamar",), None),
        ("thanks", ("Hamar",), None),
        ("sure, go ahead", ("yes", "no"), "yes"),
        ("Nope.", ("yes", "no"), "no"),
        ("well", ("yes", "no"), None),
        ("money", ("by purchases", "by money"), "by money"),
        ("by", ("by purchases", "by money"), None),
        ("first", ("last name", "first name"), "first name"),
        ("the second", ("north", "south"), "south"),
        ("2024", ("2023", "2024"), "2024"),
        ("Oslo", ("oslo", "Oslo"), "Oslo"),
        ("OSLO", ("oslo", "Oslo"), "oslo"),
        ("sales", ("sales archive", "sales"), "sales"),
        ("sales", ("sales archive", "sales today"), None),
        ("How many customers are in Hamar?", CITIES, None),
        ("Hamar and Hamaro", CITIES, None),
        ("", CITIES, None),
        ("...", CITIES, None),
        ("1", (), None),
        ("Hamar " * 100, CITIES, None),
    ],
)
def test_a_reply_picks_an_option_by_its_words_its_place_or_a_yes(
    reply: str, options: tuple[str, ...], option: str | None
) -> None:
    assert picked(reply, options) == option


def test_a_reply_that_names_options_among_other_words_is_taken_as_it_is() -> None:
    asked = Clarification(question="Which database do you mean?", options=("HR", "sales"))
    assert reply_to(asked, "the sales one") == "sales"
    assert reply_to(asked, "Look into HR and sales") == "Look into HR and sales"
    assert reply_to(asked, "Never mind. How many orders are there?") is None
    assert reply_to(None, "sales") is None
