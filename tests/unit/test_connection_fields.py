"""Schema names, addresses, aliases and names of columns: decided without any I/O."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basejump_common.contracts.connection import DatabaseFields, DatabaseType, Schema, SchemaMap
from basejump_common.errors import HostForbidden, InvalidInput
from basejump_common.security.addresses import check_addresses
from basejump_common.security.secret import Secret
from basejump_connection_indexer.domain.alias import free_alias
from basejump_connection_indexer.domain.database_fields import check_fields
from basejump_connection_indexer.domain.definition import column_uuid, needs_quotes
from basejump_connection_indexer.domain.engine import schemas_of
from basejump_connection_indexer.domain.schema_names import NamedSchema, named_schemas, physical_names


def named(name: str, /, **values: str) -> NamedSchema:
    (found,) = named_schemas((Schema(schema_nm=name, jinja_values=values),), (), default=None)
    return found


def names(name: str, /, **values: str) -> tuple[str, ...]:
    return (named(name, **values).physical,)


def test_templates_take_their_values_and_plain_names_are_kept() -> None:
    assert names("hr_demo_db") == ("hr_demo_db",)
    assert names("hr{{region}}", region="Emea") == ("hrEmea",)
    assert names("{{ a }}_{{b}}", a="x", b="1") == ("x_1",)
    both = (Schema(schema_nm="public"), Schema(schema_nm="s"))
    assert physical_names(named_schemas(both, (), default="public")) == ("public", "s")


@pytest.mark.parametrize(
    ("template", "logical"),
    [
        ("hr{{region}}", "hr_region"),
        ("hr_{{region}}", "hr_region"),
        ("{{ a }}{{b}}x", "a_b_x"),
        ("{{tenant}}", "tenant"),
    ],
)
def test_a_template_is_called_by_the_names_of_its_values(template: str, logical: str) -> None:
    values = dict.fromkeys(("region", "a", "b", "tenant"), "eu")
    assert named(template, **values).logical == logical


@pytest.mark.parametrize(
    ("schemas", "maps", "field"),
    [
        (("hr{{a}}", "hr_a"), (), "schemas"),
        (("hr{{a}}", "hrx"), (), "schemas"),
        (("hr{{a}}", "hr{{b}}"), (), "schemas"),
        (("a", "b"), (("a", "b"),), "schemas"),
        (("a", "b"), (("a", "b"), ("b", "a")), "schemas"),
        (("a", "b"), (("a", "c"), ("b", "c")), "schemas"),
        (("a",), (("c", "b"),), "schema_maps[0].old_schema"),
        (("a",), (("a", "b-c"),), "schema_maps[0].new_schema"),
    ],
)
def test_no_name_means_two_schemas(schemas: tuple[str, ...], maps: tuple[tuple[str, str], ...], field: str) -> None:
    described = tuple(Schema(schema_nm=name, jinja_values={"a": "x", "b": "x"}) for name in schemas)
    renamed = tuple(SchemaMap(old_schema=old, new_schema=new) for old, new in maps)
    with pytest.raises(InvalidInput) as raised:
        named_schemas(described, renamed, default=None)
    assert [error.field for error in raised.value.errors] == [field]


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("hr{{region", {"region": "x"}, "schemas[0].schema_nm"),
        ("hr{region}", {"region": "x"}, "schemas[0].schema_nm"),
        ("hr}}", {}, "schemas[0].schema_nm"),
        ("{{}}", {}, "schemas[0].schema_nm"),
        ("{{{region}}}", {"region": "x"}, "schemas[0].schema_nm"),
        ("{{ region.__class__ }}", {"region": "x"}, "schemas[0].schema_nm"),
        ("hr{{region}}", {}, "schemas[0].jinja_values"),
        ("hr{{region}}", {"region": ""}, "schemas[0].jinja_values"),
        ("hr{{region}}", {"region": "a-b"}, "schemas[0].jinja_values.region"),
        ("hr{{region}}", {"region": "{{x}}"}, "schemas[0].jinja_values.region"),
        ("hr demo", {}, "schemas[0].schema_nm"),
        ('hr"; drop table x; --', {}, "schemas[0].schema_nm"),
        ("ünder", {}, "schemas[0].schema_nm"),
        ("x" * 64, {}, "schemas[0].schema_nm"),
        ("x{{a}}", {"a": "y" * 63}, "schemas[0].schema_nm"),
    ],
)
def test_a_malformed_name_is_refused_by_its_field(name: str, values: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        names(name, **values)
    assert [error.field for error in raised.value.errors] == [field]


@given(st.text(max_size=80), st.dictionaries(st.text(max_size=5), st.text(max_size=80), max_size=3))
def test_whatever_is_given_a_name_is_plain_or_refused(name: str, values: dict[str, str]) -> None:
    try:
        (found,) = names(name, **values)
    except InvalidInput:
        return
    assert found.isascii()
    assert found.replace("_", "a").isalnum()
    assert 1 <= len(found) <= 63


FORBIDDEN = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:0:0:0:0:80ff:fffe", "168.63.129.16", "100.100.100.200", "192.0.0.192", "198.18.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_inside_the_operators_network_is_forbidden_also_beside_a_public_one(address: str) -> None:
    with pytest.raises(HostForbidden):
        check_addresses("db.example", ["93.184.216.34", address], allow_private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_a_public_address_is_allowed(address: str) -> None:
    check_addresses("db.example", [address], allow_private=False)


def test_private_addresses_may_be_allowed_but_never_those_that_tell_a_machines_secrets() -> None:
    check_addresses("db.example", ["10.0.0.1", "127.0.0.1", "::1", "fd12::1"], allow_private=True)
    for address in ("169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200", "224.0.0.1", "::"):
        with pytest.raises(HostForbidden):
            check_addresses("db.example", [address], allow_private=True)


def test_an_alias_is_derived_and_numbered() -> None:
    assert free_alias("hr", set()) == "hr"
    assert free_alias("hr", {"hr"}) == "hr 2"
    assert free_alias("hr", {"hr", "hr 2", "hr 3"}) == "hr 4"
    assert len(free_alias("x" * 300, {"x" * 200})) <= 200


def test_a_columns_uuid_lasts_and_is_its_own() -> None:
    table, other = uuid4(), uuid4()
    assert column_uuid(table, "city") == column_uuid(table, "city")
    assert len({column_uuid(table, "city"), column_uuid(table, "City"), column_uuid(other, "city")}) == 3
    assert column_uuid(table, "city").version == 8


@pytest.mark.parametrize(
    ("name", "quotes"), [("city", False), ("_a1", False), ("City", True), ("home town", True), ("1st", True)]
)
def test_a_name_that_would_be_folded_or_misread_needs_quotes(name: str, quotes: bool) -> None:
    assert needs_quotes(name, folds=True) is quotes
    assert needs_quotes(name, folds=False) is (quotes and name != "City")


@pytest.mark.parametrize(
    ("engine", "given", "names"),
    [
        ("postgres", {"schemas": (Schema(schema_nm="s"),)}, ("s",)),
        ("postgres", {"include_default_schema": True}, ("public",)),
        ("mysql", {}, ("a-b",)),
        ("mariadb", {"schemas": (Schema(schema_nm="s"),)}, ("s",)),
        ("mysql", {"schemas": (Schema(schema_nm="s"),), "include_default_schema": True}, ("s", "a-b")),
    ],
)
def test_where_a_schema_is_a_database_the_one_logged_in_to_is_meant(
    engine: str, given: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert physical_names(schemas_of(fields(engine, **given))) == names
    assert physical_names(check_fields(fields(engine, **given))) == names


@pytest.mark.parametrize(
    ("engine", "option", "value", "good"),
    [
        ("postgres", "target_session_attrs", "standby", True),
        ("mysql", "target_session_attrs", "standby", False),
        ("mysql", "connect_timeout", "5", True),
        ("mysql", "connect_timeout", "500", False),
        ("mariadb", "application_name", "reports", True),
        ("mariadb", "init_command", "set global x = 1", False),
        ("mysql", "local_infile", "1", False),
    ],
)
def test_each_engine_has_options_of_its_own(engine: str, option: str, value: str, good: bool) -> None:
    asked = fields(engine, query={option: value}, schemas=(Schema(schema_nm="s"),))
    if good:
        check_fields(asked)
    else:
        with pytest.raises(InvalidInput, match=option):
            check_fields(asked)


def fields(engine: str, **given: Any) -> DatabaseFields:
    return DatabaseFields(
        database_type=DatabaseType(engine),
        host="h",
        database_name="a-b",
        username="u",
        password=Secret("p"),
        **given,
    )
