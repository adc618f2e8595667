"""Verified answers, as a REST client meets them."""

from pathlib import Path
from typing import Any

import pytest

from rest import Api, Tenant, run_command

QUESTION, OTHER_WORDS = "How many employees are there?", "Count the number of employees."


@pytest.fixture(scope="module")
def tenant(api: Api, stack: dict[str, str], stack_folder: Path) -> Tenant:
    created = run_command("client", "create", "verified", "--state", str(stack_folder))
    return Tenant.enter(api, created["client_secret"]).with_demo(stack)


def test_an_answer_is_verified_found_again_and_taken_back(tenant: Tenant) -> None:
    first: dict[str, Any] = tenant.ask(QUESTION)
    assert (first["verified"], first["can_verify"]) == (False, True)
    path = f"/result/{first['result_uuid']}/"
    assert tenant.user.put(path, json={"verified": True})["verified"] is True
    again = tenant.ask(OTHER_WORDS)
    assert again["verified"] is True
    assert again["content"] == first["content"]
    assert again["verified_user_uuid"] == tenant.user.get(path)["verified_user_uuid"]
    assert tenant.user.put(path, json={"verified": False})["verified"] is False
    assert tenant.user.get(f"/result/{again['result_uuid']}/")["verified"] is False
    assert tenant.ask(OTHER_WORDS)["verified"] is False


def test_a_result_is_given_other_words_and_verified_in_one_call(tenant: Tenant) -> None:
    first: dict[str, Any] = tenant.ask("How many departments are there?")
    path = f"/result/{first['result_uuid']}/"
    assert tenant.user.get(path)["can_verify"] is True
    changed = tenant.user.put(path, json={"result_title": "Departments", "verified": True})
    assert (changed["result_title"], changed["verified"], changed["can_verify"]) == ("Departments", True, False)
    assert tenant.user.get(path) == changed
