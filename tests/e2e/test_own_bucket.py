"""A client's results in its own bucket, as a REST client has it."""

from typing import Any

import pytest

from basejump_common.security.principal import Role
from household import Household, settle
from own_bucket import ObjectServer, fields_in_json
from rest import Api, within


@pytest.fixture(scope="module")
def house(api: Api, operator: Api, stack: dict[str, str]) -> Household:
    return settle(api, operator.post("/account/client/", json={"client_name": "keepers"}), stack, asker=Role.MEMBER)


def test_results_are_kept_in_the_clients_bucket_and_come_back(house: Household, stack: dict[str, str]) -> None:
    owner, member, result = house.owner, house.people[Role.MEMBER], house.objects["result_uuid"]
    rows = downloaded(member, result)
    nothing = owner.call("GET", "/connection/storage/")
    assert (nothing.status_code, "installation's own" in nothing.json()["detail"]) == (404, True)
    assert owner.get("/connection/storage/migration-status/")["state"] == "none"
    made = owner.post("/connection/storage/", json=fields_in_json(stack["BUCKET_URL"], stack["BUCKET"]))
    one = f"/connection/storage/{made['storage_uuid']}/"
    assert made["storage_uuid"] in [kept["storage_uuid"] for kept in owner.get("/connection/storage/list/")["data"]]
    shown = owner.call("GET", one)
    assert "secret / with" not in shown.text
    assert "AKIA" not in shown.text

    owner.put(f"/connection/storage/activate/{made['storage_uuid']}/")
    assert moved(owner)["done"] >= 1
    used = owner.get("/connection/storage/")
    assert used["storage_uuid"] == made["storage_uuid"]
    assert used["active"] is True
    assert used["results"] >= 1
    assert downloaded(member, result) == rows
    refused = owner.call("DELETE", one)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")

    owner.put(f"/connection/storage/deactivate/{made['storage_uuid']}/")
    moved(owner)
    assert owner.get(one)["results"] == 0
    assert downloaded(member, result) == rows
    changed = fields_in_json(stack["BUCKET_URL"], stack["BUCKET"]) | {"alias": "another name"}
    assert owner.put(one, json=changed)["alias"] == "another name"
    owner.delete(one)
    assert owner.call("GET", one).status_code == 404


def test_while_the_bucket_is_away_questions_and_downloads_say_so(
    house: Household, stack: dict[str, str], buckets: ObjectServer
) -> None:
    owner, member = house.owner, house.people[Role.MEMBER]
    bucket = fields_in_json(stack["BUCKET_URL"], stack["BUCKET"])
    made = owner.post("/connection/storage/", json=bucket | {"active": True})
    moved(owner)
    buckets.go_away()
    try:
        message = ask(member, house.objects["chat_uuid"], "How many departments are there?")
        assert (message["msg_type"], message["code"]) == ("error", "storage_away"), message
        assert "storage" in message["content"]
        refused = member.call("GET", f"/result/{house.objects['result_uuid']}/csv/")
        assert (refused.status_code, refused.json()["code"]) == (503, "storage_away")
        assert "retry-after" in refused.headers
    finally:
        buckets.come_back()
    message = ask(member, house.objects["chat_uuid"], "How many departments are there?")
    assert message["msg_type"] == "response"
    assert downloaded(member, message["result_uuid"])
    assert downloaded(member, house.objects["result_uuid"])
    owner.put(f"/connection/storage/deactivate/{made['storage_uuid']}/")
    moved(owner)


def test_what_is_wrong_with_a_bucket_is_told_apart(house: Household, stack: dict[str, str]) -> None:
    body = fields_in_json(stack["BUCKET_URL"], stack["BUCKET"])
    for wrong, code in (
        ({"bucket_name": "not-there"}, "bucket_missing"),
        ({"endpoint": "http://127.0.0.1:1"}, "storage_unreachable"),
        ({"endpoint": "http://169.254.169.254"}, "host_forbidden"),
        ({"endpoint": "nonsense"}, "invalid_input"),
        ({"storage_provider": "floppy"}, "invalid_input"),
        ({"bucket_name": "../other"}, "invalid_input"),
    ):
        answer = house.owner.call("POST", "/connection/storage/", json=body | wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def ask(person: Api, chat_uuid: str, prompt: str) -> dict[str, Any]:
    message: dict[str, Any] = person.post(f"/chat/{chat_uuid}/message/", json={"prompt": prompt})
    return message


def downloaded(person: Api, result_uuid: str) -> bytes:
    answer = person.call("GET", f"/result/{result_uuid}/csv/")
    assert answer.status_code == 200, answer.text
    return answer.content


def moved(owner: Api) -> dict[str, Any]:
    within(60, lambda: owner.get("/connection/storage/migration-status/")["state"] == "finished")
    status: dict[str, Any] = owner.get("/connection/storage/migration-status/")
    assert (status["done"], status["failed"], status["error"]) == (status["total"], 0, None)
    return status
