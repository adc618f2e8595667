"""Examples for the OpenAPI document, made from the contracts' structs: always of their shape, in the field's words."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from msgspec import UNSET, inspect

from basejump_common.security.secret import Secret

_SAMPLES: Mapping[str, Any] = {
    "Message.code": None,
    "Message.role": "assistant",
    "access_token": "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYi….…",
    "allowed_origins": ["https://app.example.com"],
    "cell": 107,
    "csv": "username,password,region\nreader_eu,…,_eu\nreader_us,…,_us\n",
    "client_name": "Acme",
    "client_secret": "bj_live_…",
    "code": "invalid_input",
    "column_name": "employee_id",
    "column_type": "integer",
    "content": "There are 107 employees.",
    "crv": "Ed25519",
    "database_name": "hr",
    "database_name_alias": "hr",
    "database_type": "postgres",
    "description": "",
    "detail": "team_name: is required",
    "email": "ann@example.com",
    "email_address": "ann@example.com",
    "fallback_llm": "openai:gpt-5-mini",
    "fingerprint": "9f2c4e…",
    "host": "db.example.com",
    "initial_prompt": "How many employees are there?",
    "keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026-1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}],
    "kty": "OKP",
    "llm": "openai:gpt-5",
    "mermaid": "erDiagram\n  employees }o--|| departments : department_id",
    "msg_type": "response",
    "name": "number_of_employees",
    "next_cursor": None,
    "old_schema": "hr",
    "new_schema": "hr_us",
    "origin": "https://hooks.example.com",
    "parent_msg_uuid": None,
    "password": "…",
    "prefix": "bj_live_abcd",
    "preview": [[107]],
    "progress": 1.0,
    "prompt": "How many employees are there?",
    "question": "Which year do you mean?",
    "query": {},
    "refresh_token": "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYi….…",
    "result_description": "One number",
    "result_subtitle": "of all departments",
    "result_title": "Number of employees",
    "result_type": "metric",
    "role": "MEMBER",
    "row_num_total": 1,
    "schema_nm": "hr",
    "schema_name": "hr",
    "sql": "SELECT count(*) AS number_of_employees FROM hr.employees AS employees LIMIT 1000001",
    "sql_query": "SELECT count(*) AS number_of_employees FROM hr.employees AS employees LIMIT 1000001",
    "table_name": "employees",
    "team_desc": "People who analyse",
    "team_name": "analysts",
    "ticket": "tkt_…",
    "token": "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYi….…",
    "truncated": False,
    "type": "bigint",
    "username": "ann",
    "verify_mode": "EXPLORE",
    "webhook_headers": {},
    "webhook_secret": "whsec_…",
    "webhook_url": "https://hooks.example.com/answers",
}
_MOMENT = "2026-11-27T12:00:00Z"


def example(kind: type[msgspec.Struct], *, only: Mapping[str, Any] | tuple[str, ...] | None = None) -> dict[str, Any]:
    """JSON values of a struct; with `only`, of these fields. Optional fields have their defaults, and
    those that may be left out are, unless they have a sample: an example shows what is usual."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    made = {
        field.encode_name: _value(field, kind) for field in info.fields if only is None or field.encode_name in only
    }
    return {name: value for name, value in made.items() if value is not UNSET}


def _value(field: inspect.Field, kind: type[msgspec.Struct]) -> Any:
    sample = _SAMPLES.get(f"{kind.__name__}.{field.encode_name}", _SAMPLES.get(field.encode_name, UNSET))
    if sample is not UNSET and _fits(sample, kind, field.name):
        return sample
    if field.default is UNSET:
        return UNSET
    if not field.required and field.default is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default, enc_hook=str)
    return _made(field.type, field.encode_name)


def _fits(sample: Any, kind: type[msgspec.Struct], name: str) -> bool:
    annotation = next(field.type for field in msgspec.structs.fields(kind) if field.name == name)
    try:
        msgspec.convert(sample, annotation, dec_hook=lambda _kind, value: Secret(value))
    except (msgspec.ValidationError, TypeError):
        return False
    return True


def _made(info: inspect.Type, name: str) -> Any:
    maker = _MAKERS.get(type(info))
    return maker(info, name) if maker else name


def _one_of(info: inspect.UnionType, name: str) -> Any:
    if any(isinstance(member, inspect.NoneType) for member in info.types):
        return None
    return _made(info.types[0], name)


def _uuid(_info: inspect.Type, name: str) -> str:
    return str(UUID(int=uuid5(NAMESPACE_URL, name.removesuffix("s")).int))


_MAKERS: Mapping[type[inspect.Type], Callable[[Any, str], Any]] = {
    inspect.NoneType: lambda _info, _name: None,
    inspect.BoolType: lambda _info, _name: True,
    inspect.IntType: lambda info, _name: info.ge or 1,
    inspect.FloatType: lambda info, _name: info.ge or 1.0,
    inspect.UUIDType: _uuid,
    inspect.DateTimeType: lambda _info, _name: _MOMENT,
    inspect.DateType: lambda _info, _name: _MOMENT[:10],
    inspect.EnumType: lambda info, _name: next(iter(info.cls)).value,
    inspect.LiteralType: lambda info, _name: info.values[0],
    inspect.ListType: lambda info, name: [_made(info.item_type, name)],
    inspect.VarTupleType: lambda info, name: [_made(info.item_type, name)],
    inspect.FrozenSetType: lambda info, name: [_made(info.item_type, name)],
    inspect.TupleType: lambda info, name: [_made(item, name) for item in info.item_types],
    inspect.DictType: lambda _info, _name: {},
    inspect.StructType: lambda info, _name: example(info.cls),
    inspect.UnionType: _one_of,
    inspect.CustomType: lambda _info, _name: "…",
    inspect.Metadata: lambda info, name: _made(info.type, name),
}
