"""From path, query and body to one request struct; whatever is wrong is named, all of it at once."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import inspect

from basejump_common.contracts.common import Choice
from basejump_common.contracts.wire import decode_custom
from basejump_common.errors import FieldError, InvalidInput

In = TypeVar("In", bound=msgspec.Struct)

MAX_QUERY_PARAMETERS = 200
_MAX_ERRORS = 20
_MAX_NAME = 100
_TWICE = "given twice with different values"
_UNKNOWN = "unknown field"
_NAMELESS = '""'  # a field whose name is empty
_NUL = "contains the character NUL"
_AT = re.compile(r" - at `(?:key` in `)?\$\.?([^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`")

_Check = Callable[[Any, str], Iterable[FieldError]]
_SEQUENCES = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


class Binder(Generic[In]):
    """Makes the request of one route. `body` names what the JSON body may hold: everything a caller may send."""

    def __init__(self, takes: type[In], *, query: Iterable[str], body: Iterable[str]) -> None:
        self._takes = takes
        self._types = {field.name: field.type for field in msgspec.structs.fields(takes)}
        self._query = frozenset(query)
        info = inspect.type_info(takes)
        assert isinstance(info, inspect.StructType)
        self._lists = frozenset(field.name for field in info.fields if _holds(field.type, _SEQUENCES))
        self._enums = {field.name: enum for field in info.fields if (enum := _enum(field.type))}
        self._check_body = _names_checker(info, frozenset(body))

    def bind(self, path: Mapping[str, str], query_string: bytes, body: bytes) -> In:
        """The request. Raises InvalidInput that names every field found wrong."""
        given = _json_object(body) if body else {}
        errors = list(self._check_body(given, "")) if given else []
        if query_string:
            for name, texts in _parse_query(query_string).items():
                errors += self._merge(given, name, texts) if name in self._query else [_error(name, _UNKNOWN)]
        for name, text in path.items():
            errors += self._merge(given, name, [text])
        try:
            bound = msgspec.convert(given, self._takes, dec_hook=decode_custom)
        except msgspec.ValidationError as error:
            wrong = list(self._wrong_fields(given)) or [_field_error(str(error))]
            named = {error.field for error in errors}
            raise _invalid([*errors, *(one for one in wrong if one.field not in named)]) from None
        if errors:
            raise _invalid(errors)
        return bound

    def _wrong_fields(self, given: Mapping[str, Any]) -> Iterable[FieldError]:
        """What msgspec would say of each field by itself: of all of them it names the first alone."""
        for field in msgspec.structs.fields(self._takes):
            if field.name in given:
                yield from self._wrong_value(field.name, given[field.name])
            elif field.required:
                yield _error(field.name, "is required")

    def _wrong_value(self, name: str, value: object) -> Iterable[FieldError]:
        try:
            msgspec.convert(value, self._types[name], dec_hook=decode_custom)
        except msgspec.ValidationError as error:
            yield self._said(error, name, value)

    def _merge(self, given: dict[str, Any], name: str, texts: list[str]) -> list[FieldError]:
        """Put the values of a path or query parameter, read leniently, beside what the body says."""
        if any("\0" in text for text in texts):
            return [_error(name, _NUL)]
        kind = self._types[name]
        try:
            values = [self._lenient(texts, kind)] if name in self._lists else [self._lenient(t, kind) for t in texts]
            if name in given:
                values.append(msgspec.convert(given[name], kind, dec_hook=decode_custom))
        except msgspec.ValidationError as error:
            return [self._said(error, name, texts[0])]
        if any(value != values[0] for value in values):
            return [_error(name, _TWICE)]
        given[name] = values[0]
        return []

    @staticmethod
    def _lenient(value: object, kind: Any) -> object:
        return msgspec.convert(value, kind, strict=False, dec_hook=decode_custom)

    def _said(self, error: msgspec.ValidationError, name: str, value: object) -> FieldError:
        """msgspec's sentence about the field; of a wrong choice, which are the right ones."""
        found = _field_error(str(error), name)
        if found.message.startswith("Invalid enum value") and (enum := self._enums.get(found.field)):
            return _error(name, _not_among(enum, value))
        return found


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
        json.loads(body, object_pairs_hook=_refuse_repeats)
    except UnicodeDecodeError:
        raise InvalidInput.field("body", "is not UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput.field("body", f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput.field("body", "must be a JSON object")
    if b"\\u0000" in body:
        _refuse_nul(value, "")
    return value


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object that gives a name twice is read differently by every parser: only equal values pass."""
    found = dict(pairs)
    if len(found) != len(pairs):
        for name, value in pairs:
            if value != found[name]:
                raise _invalid([_error(name, _TWICE)])
    return found


def _refuse_nul(value: object, field: str) -> None:
    """PostgreSQL can't hold NUL in text, so no field may."""
    if isinstance(value, str) and "\0" in value:
        raise _invalid([_error(field, _NUL)])
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_nul(name, _join(field, name))
            _refuse_nul(inner, _join(field, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_nul(inner, f"{field}[{index}]")


def _parse_query(query_string: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            query_string.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_QUERY_PARAMETERS,
        )
    except UnicodeDecodeError:
        raise InvalidInput.field("query", "is not UTF-8") from None
    except ValueError:
        raise InvalidInput.field("query", f"has more than {MAX_QUERY_PARAMETERS} parameters") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


# -- unknown names, nested ones too -------------------------------------------------------------------------------


def _names_checker(info: inspect.StructType, names: frozenset[str]) -> _Check:
    nested = {field.name: _checker(field.type) for field in info.fields}
    inner = {name: checker for name, checker in nested.items() if checker is not None}

    def check(value: Any, at: str) -> Iterable[FieldError]:
        if not isinstance(value, dict):
            return
        for name in value.keys() - names:
            yield _error(_join(at, name), _UNKNOWN)
        for name in value.keys() & inner.keys():
            yield from inner[name](value[name], _join(at, name))

    return check


def _checker(info: inspect.Type) -> _Check | None:
    """What looks for unknown names in a value of this type; None where there can't be any."""
    if isinstance(info, inspect.StructType):
        return _names_checker(info, frozenset(field.encode_name for field in info.fields))
    if isinstance(info, inspect.UnionType):
        return next(filter(None, map(_checker, info.types)), None)
    if isinstance(info, _SEQUENCES):
        return _each(_checker(info.item_type))
    return None


def _each(item: _Check | None) -> _Check | None:
    if item is None:
        return None

    def check(value: Any, at: str) -> Iterable[FieldError]:
        for index, element in enumerate(value if isinstance(value, list) else ()):
            yield from item(element, f"{at}[{index}]")

    return check


def _holds(info: inspect.Type, kinds: tuple[type[inspect.Type], ...]) -> bool:
    members = info.types if isinstance(info, inspect.UnionType) else (info,)
    return any(isinstance(member, kinds) for member in members)


def _enum(info: inspect.Type) -> type[Enum] | None:
    members = info.types if isinstance(info, inspect.UnionType) else (info,)
    return next((member.cls for member in members if isinstance(member, inspect.EnumType)), None)


def _not_among(enum: type[Enum], value: object) -> str:
    """An enum may say more about a value that people expect of it."""
    choices = "must be one of " + ", ".join(str(member.value) for member in enum)
    why = enum.why_not(value) if issubclass(enum, Choice) else ""
    return f"{why}: {choices}" if why else choices


# -- errors -------------------------------------------------------------------------------------------------------


def _field_error(message: str, within: str = "") -> FieldError:
    """msgspec's sentence as a field and what is wrong with it."""
    at = _AT.search(message)
    field = _join(within, at.group(1)) if at else within
    said = message[: at.start()] if at else message
    if missing := _MISSING.match(said):
        return _error(_join(field, missing.group(1)), "is required")
    return _error(field or "body", said.replace("`", ""))


def _join(at: str, name: str) -> str:
    if not at or not name or name.startswith("["):
        return at + name
    return f"{at}.{name}"


def _error(field: str, message: str) -> FieldError:
    return FieldError(field=field[:_MAX_NAME].replace("\0", "\\u0000") or _NAMELESS, message=message)


def _invalid(errors: list[FieldError]) -> InvalidInput:
    named = sorted(errors, key=lambda error: error.field)[:_MAX_ERRORS]
    return InvalidInput("; ".join(f"{e.field}: {e.message}" for e in named), errors=tuple(named))
