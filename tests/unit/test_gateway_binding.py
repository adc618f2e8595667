"""Path, query and body become one request, or every wrong field is named."""

import json
import time
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basejump_common.contracts import account, auth, chat, connection
from basejump_common.contracts.common import Nothing
from basejump_common.errors import InvalidInput
from basejump_common.security.principal import UserRole
from basejump_gateway.binding import Binder
from basejump_gateway.routes import ROUTES, Route
from soaking import times

UUID_TEXT = str(uuid4())
DATABASE: dict[str, Any] = {
    "database_type": "postgres",
    "host": "db.example.com",
    "database_name": "hr",
    "username": "reader",
    "password": "secret",
    "schemas": [{"schema_nm": "hr"}],
}


def binder_of(route: Route) -> Binder[Any]:
    return Binder(route.operation.takes, query=route.queried, body=route.fields)


def binder(operation: Any) -> Binder[Any]:
    return binder_of(next(route for route in ROUTES if route.operation is operation))


def refused(operation: Any, query: str = "", body: bytes = b"", **path: str) -> dict[str, str]:
    """The fields that are wrong and what is said about each."""
    with pytest.raises(InvalidInput) as caught:
        binder(operation).bind(path, query.encode(), body)
    assert all(error.field in caught.value.message for error in caught.value.errors)
    return {error.field: error.message for error in caught.value.errors}


def test_query_parameters_are_read_leniently() -> None:
    bound = binder(chat.LIST_CHATS).bind({}, b"limit=20&include_all_client_info=true", b"")
    assert (bound.limit, bound.include_all_client_info) == (20, True)


def test_a_query_parameter_may_come_in_the_body() -> None:
    from_query = binder(account.CREATE_USER).bind({}, b"username=ann&role=ADMIN", b"")
    from_body = binder(account.CREATE_USER).bind({}, b"", b'{"username": "ann", "role": "ADMIN"}')
    assert from_query == from_body
    assert from_body.role is UserRole.ADMIN


def test_an_empty_body_is_an_empty_object() -> None:
    assert binder(chat.CREATE_CHAT).bind({"team_uuid": UUID_TEXT}, b"", b"").messages == ()


def test_a_body_is_read_strictly() -> None:
    assert refused(chat.LIST_CHATS, body=b'{"limit": "20"}') == {"limit": "Expected int, got str"}


def test_the_path_may_be_repeated_in_the_body_when_it_says_the_same() -> None:
    body = json.dumps({"team_uuid": UUID_TEXT.upper()}).encode()
    bound = binder(chat.CREATE_CHAT).bind({"team_uuid": UUID_TEXT}, b"", body)
    assert bound.team_uuid == UUID(UUID_TEXT)


def test_a_name_given_twice_with_different_values_is_refused() -> None:
    other = json.dumps({"team_uuid": str(uuid4())}).encode()
    twice = "given twice with different values"
    assert refused(chat.CREATE_CHAT, body=other, team_uuid=UUID_TEXT) == {"team_uuid": twice}
    assert refused(account.CREATE_TEAM, "team_name=a&team_name=b") == {"team_name": twice}
    assert refused(account.CREATE_TEAM, "team_name=a", b'{"team_name": "b"}') == {"team_name": twice}
    assert refused(account.CREATE_TEAM, "", b'{"team_name": "a", "team_name": "b"}') == {"team_name": twice}


def test_a_name_given_twice_with_one_value_is_served() -> None:
    body = b'{"team_name": "a", "team_name": "a"}'
    assert binder(account.CREATE_TEAM).bind({}, b"team_name=a&team_name=a", body).team_name == "a"


def test_unknown_names_are_refused_wherever_they_are() -> None:
    assert refused(account.CREATE_TEAM, "team_name=a&colour=red") == {"colour": "unknown field"}
    assert refused(account.CREATE_TEAM, "", b'{"team_name": "a", "colour": 1}') == {"colour": "unknown field"}
    assert refused(account.CREATE_TEAM, "team_name=a&=") == {'""': "unknown field"}
    assert refused(account.CREATE_TEAM, "", b'{"team_name": "a", "": 1}') == {'""': "unknown field"}
    nested = json.dumps(DATABASE | {"schemas": [{"schema_nm": "a"}, {"schema_nm": "b", "foo": 1}]}).encode()
    assert refused(connection.CREATE_DATABASE, "", nested) == {"schemas[1].foo": "unknown field"}


def test_a_misspelled_name_is_named_beside_the_one_that_is_missing() -> None:
    body = json.dumps(DATABASE | {"schemas": [{"schema_name": "hr"}]}).encode()
    assert refused(connection.CREATE_DATABASE, "", body) == {
        "schemas[0].schema_name": "unknown field",
        "schemas[0].schema_nm": "is required",
    }


def test_free_names_of_a_mapping_are_not_unknown() -> None:
    body = json.dumps(DATABASE | {"query": {"application_name": "x"}}).encode()
    assert binder(connection.CREATE_DATABASE).bind({}, b"", body).query == {"application_name": "x"}


def test_fields_of_the_body_are_no_query_parameters() -> None:
    body = json.dumps(DATABASE).encode()
    assert refused(connection.CREATE_DATABASE, "password=x", body) == {"password": "unknown field"}


def test_what_the_gateway_chooses_no_caller_may_send() -> None:
    body = json.dumps({"prompt": "how many?", "prompt_uuid": UUID_TEXT}).encode()
    assert refused(chat.ASK, "", body, chat_uuid=UUID_TEXT) == {"prompt_uuid": "unknown field"}


def test_a_malformed_uuid_is_named() -> None:
    assert refused(chat.GET_CHAT, chat_uuid="nonsense") == {"chat_uuid": "Invalid UUID"}
    assert refused(auth.CREATE_REFRESH_TOKEN, "user_uuid=1") == {"user_uuid": "Invalid UUID"}
    grant = refused(connection.GRANT_TEAMS, body=b'{"team_uuids": ["x"]}', conn_uuid=UUID_TEXT)
    assert grant == {"team_uuids[0]": "Invalid UUID"}


def test_a_missing_field_is_named_once() -> None:
    assert refused(account.CREATE_TEAM) == {"team_name": "is required"}
    assert refused(chat.LIST_CHATS, "limit=many") == {"limit": "Expected int, got str"}


def test_a_wrong_choice_is_told_the_right_ones() -> None:
    roles = "must be one of OWNER, ADMIN, MEMBER, SERVICE_MEMBER, SUB_MEMBER"
    assert refused(account.CREATE_USER, "username=a&role=BOSS") == {"role": roles}
    body = json.dumps(DATABASE | {"database_type": "abacus"}).encode()
    engines = "must be one of postgres, mysql, mariadb"
    assert refused(connection.CREATE_DATABASE, "", body) == {"database_type": engines}


@pytest.mark.parametrize("engine", ["redshift", "sql_server", "snowflake", "athena"])
def test_an_engine_that_people_expect_is_refused_with_why(engine: str) -> None:
    body = json.dumps(DATABASE | {"database_type": engine}).encode()
    why = f"{engine} is not served, for want of a tested connector: must be one of postgres, mysql, mariadb"
    assert refused(connection.CREATE_DATABASE, "", body) == {"database_type": why}


def test_all_that_is_wrong_is_named_at_once() -> None:
    body = json.dumps({"database_type": "abacus", "host": 1, "port": 0, "schemas": [{"schema_nm": "a"}, {}]}).encode()
    assert refused(connection.TEST_DATABASE, "", body) == {
        "database_type": "must be one of postgres, mysql, mariadb",
        "host": "Expected str, got int",
        "port": "Expected int >= 1",
        "database_name": "is required",
        "username": "is required",
        "password": "is required",
        "schemas[1].schema_nm": "is required",
    }
    user = refused(account.CREATE_USER, "role=BOSS&nonsense=1&email=x")
    assert set(user) == {"username", "role", "nonsense", "email"}


def test_nul_is_refused_in_any_text() -> None:
    nul = "contains the character NUL"
    assert refused(account.CREATE_TEAM, "team_name=a%00") == {"team_name": nul}
    assert refused(account.CREATE_TEAM, "", b'{"team_name": "a\\u0000"}') == {"team_name": nul}
    body = json.dumps(DATABASE | {"schemas": [{"schema_nm": "a\0"}]}).encode()
    assert refused(connection.CREATE_DATABASE, "", body) == {"schemas[0].schema_nm": nul}
    body = json.dumps(DATABASE | {"query": {"a\0": "b"}}).encode()
    assert refused(connection.CREATE_DATABASE, "", body) == {"query.a\\u0000": nul}


def test_the_text_of_an_escape_is_not_nul() -> None:
    body = rb'{"team_name": "a\\u0000"}'
    assert binder(account.CREATE_TEAM).bind({}, b"", body).team_name == r"a\u0000"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b'"text"',
        b"null",
        b"{} {}",
        b'{"team_name": NaN}',
        b'{"team_name": "\xff"}',
        b'{"team_name": "\\ud800"}',
        b'{"team_name": 1e999}',
        b'{"team_name": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
    ],
)
def test_a_body_that_is_no_json_object_is_named(body: bytes) -> None:
    assert refused(account.CREATE_TEAM, "", body).keys() == {"body"}


@pytest.mark.parametrize("query", ["team_name=%ff", "team_name=\xff", "&".join(f"a{n}=1" for n in range(500))])
def test_a_query_that_can_not_be_read_is_named(query: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        binder(account.CREATE_TEAM).bind({}, query.encode("latin-1"), b"")
    assert [error.field for error in caught.value.errors] == ["query"]


def test_errors_never_hold_the_value_of_a_secret() -> None:
    body = json.dumps(DATABASE | {"password": ["hunter2"]}).encode()
    assert refused(connection.CREATE_DATABASE, "", body) == {"password": "expected a string for Secret"}


def test_a_call_that_takes_nothing_refuses_everything() -> None:
    route = next(route for route in ROUTES if route.operation.takes is Nothing)
    with pytest.raises(InvalidInput):
        binder_of(route).bind({}, b"a=1", b"")
    with pytest.raises(InvalidInput):
        binder_of(route).bind({}, b"", b'{"a": 1}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.soak
@settings(max_examples=times(200, soak=20_000), deadline=None)
@given(route=st.sampled_from(ROUTES), data=st.data())
def test_whatever_is_sent_is_bound_or_refused(route: Route, data: st.DataObject) -> None:
    names = st.sampled_from([*route.fields, "unknown"])
    path = {name: data.draw(st.sampled_from([UUID_TEXT, "x", "\0"])) for name in route.parameters}
    body = msgspec.json.encode(data.draw(st.dictionaries(names, JSON, max_size=4))) if data.draw(st.booleans()) else b""
    bound = bound_or_refused(binder_of(route), path, data.draw(st.binary(max_size=20)), body)
    if isinstance(bound, InvalidInput):
        assert all(found.field and found.message for found in bound.errors)
        assert bound.errors
    else:
        assert isinstance(bound, route.operation.takes)


def bound_or_refused(binds: Binder[Any], path: dict[str, str], query: bytes, body: bytes) -> Any:
    try:
        return binds.bind(path, query, body)
    except InvalidInput as error:
        return error


def test_binding_takes_microseconds() -> None:
    bind = binder(connection.CREATE_DATABASE).bind
    body = json.dumps(DATABASE).encode()
    bind({}, b"", body)
    fastest = min(_seconds(lambda: bind({}, b"", body)) for _ in range(200))
    assert fastest < 200e-6


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
