"""Words that no row has, as a REST client meets them: asked about, answered, and left alone where an admin says so."""

from pathlib import Path
from typing import Any

import pytest

from rest import Api, Tenant, run_command

TYPO = "How many employees work in the Markting department?"


@pytest.fixture(scope="module")
def tenant(api: Api, stack: dict[str, str], stack_folder: Path) -> Tenant:
    """A client of its own: one of its columns is excluded here."""
    created = run_command("client", "create", "values", "--state", str(stack_folder))
    return Tenant.enter(api, created["client_secret"]).with_demo(stack)


def say(tenant: Tenant, chat: str, prompt: str, **fields: Any) -> dict[str, Any]:
    message: dict[str, Any] = tenant.user.post(f"/chat/{chat}/message/", json={"prompt": prompt} | fields)
    return message


def test_a_typo_is_asked_about_and_the_answer_to_that_answers_the_question(tenant: Tenant) -> None:
    chat = tenant.user.post(f"/chat/team/{tenant.objects['team_uuid']}/")["chat_uuid"]
    asked = say(tenant, chat, TYPO)
    assert asked["msg_type"] == "clarification", asked["content"]
    assert asked["content"] == "I find no “Markting” in the data. Which one do you mean? Marketing"
    assert asked["clarification"]["options"] == ["Marketing"]
    answered = say(tenant, chat, "Marketing", parent_msg_uuid=asked["msg_uuid"])
    assert answered["msg_type"] == "response", answered["content"]
    assert answered["content"].endswith("employees where department name is Marketing.")
    assert answered["proof"]["fully_proved"] is True
    plural = say(tenant, chat, "How many employees work in the Shippings department?")
    assert plural["content"].endswith("department name is Shipping, taking “Shippings” as “Shipping”.")


def test_what_is_nowhere_is_said_to_be_nowhere(tenant: Tenant) -> None:
    answered = tenant.ask("How many departments have the department name 'Astrology'?")
    assert answered["content"].startswith("No department has the department name 'Astrology'.")
    (missing,) = answered["proof"]["missing_values"]
    assert (missing["value"], missing["closest"]) == ("Astrology", [])


def test_a_column_that_an_admin_excludes_is_neither_searched_nor_offered(tenant: Tenant) -> None:
    db_uuid = tenant.objects["db_uuid"]
    tables = {t["table_name"]: t for t in tenant.user.get(f"/connection/database/{db_uuid}/table/")["data"]}
    excluded = {"column_name": "department_name", "search_values": False}
    path = f"/connection/table/{tables['departments']['tbl_uuid']}/column/"
    tenant.user.put(path, json={"columns": [excluded]})
    assert tenant.ask(TYPO)["code"] == "needs_language_model"
    answered = tenant.ask("How many departments have the department name 'Marketing'?")
    assert "1" in answered["content"]
    assert "an administrator excluded this column" in answered["proof"]["filters"][0]["why"]
    assert answered["proof"]["missing_values"] == []
