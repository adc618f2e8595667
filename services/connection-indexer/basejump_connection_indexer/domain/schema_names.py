"""The schemas of a database: what they are called in the index, and by each login's database.

`hr{{region}}` is called `hr_region` in the index, in questions and in proposed statements; a login whose `region` is
`_eu` reads `hr_eu` for it. A plain name is the same everywhere, unless a schema map says another for a login.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from basejump_common.contracts.connection import Schema, SchemaMap
from basejump_common.errors import InvalidInput

LONGEST = 63  # bytes of a PostgreSQL identifier; names are ASCII here
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_NAME = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


class NamedSchema(msgspec.Struct, frozen=True):
    """`logical`: its name in the index; `physical`: the name that one login's database knows."""

    logical: str
    physical: str


def named_schemas(
    schemas: Sequence[Schema], maps: Sequence[SchemaMap], *, default: str | None
) -> tuple[NamedSchema, ...]:
    """The schemas in the order given, each once, then `default` if any. Raises InvalidInput naming the field."""
    named = [_named(schema, f"schemas[{place}]") for place, schema in enumerate(schemas)]
    if default is not None:
        named.append(NamedSchema(default, default))
    if not named:
        raise InvalidInput.field("schemas", "name at least one schema, or include the default one")
    return _checked(_mapped(list(dict.fromkeys(named)), maps))


def differing(named: Sequence[NamedSchema]) -> Mapping[str, str]:
    """The physical names of those that have another in the index."""
    return {one.logical: one.physical for one in named if one.logical != one.physical}


def physical_names(named: Sequence[NamedSchema]) -> tuple[str, ...]:
    """What the login's database knows."""
    return tuple(one.physical for one in named)


def values_named(schemas: Sequence[Schema]) -> frozenset[str]:
    """The names of the values that the schemas' templates take."""
    return frozenset(name for schema in schemas for name in _PLACEHOLDER.findall(schema.schema_nm))


def logical_name(template: str, field: str) -> str:
    """What a schema is called in the index. Raises InvalidInput."""
    literal = _PLACEHOLDER.sub("", template)
    if "{" in literal or "}" in literal:
        raise InvalidInput.field(f"{field}.schema_nm", "malformed braces: write {{name}}")
    if literal == template:
        return check_name(template, f"{field}.schema_nm")
    words = _PLACEHOLDER.sub(r"_\1_", template)
    return check_name(re.sub("_+", "_", words).strip("_"), f"{field}.schema_nm")


def check_name(name: str, field: str) -> str:
    """A whole schema name. Raises InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput.field(field, "only letters, digits and _ are allowed")
    if len(name) > LONGEST:
        raise InvalidInput.field(field, f"longer than {LONGEST} characters")
    return name


def _named(schema: Schema, field: str) -> NamedSchema:
    def value(match: re.Match[str]) -> str:
        found = schema.jinja_values.get(match[1])
        if not found:
            raise InvalidInput.field(f"{field}.jinja_values", f"no value for {match[1]}")
        return check_name(found, f"{field}.jinja_values.{match[1]}")

    logical = logical_name(schema.schema_nm, field)
    physical = check_name(_PLACEHOLDER.sub(value, schema.schema_nm), f"{field}.schema_nm")
    return NamedSchema(logical, physical)


def _mapped(named: list[NamedSchema], maps: Sequence[SchemaMap]) -> list[NamedSchema]:
    physical = {one.logical: one.physical for one in named}
    for place, schema_map in enumerate(maps):
        field = f"schema_maps[{place}]"
        check_name(schema_map.old_schema, f"{field}.old_schema")
        if schema_map.old_schema not in physical:
            raise InvalidInput.field(f"{field}.old_schema", f"{schema_map.old_schema} is none of the schemas")
        physical[schema_map.old_schema] = check_name(schema_map.new_schema, f"{field}.new_schema")
    return [NamedSchema(one.logical, physical[one.logical]) for one in named]


def _checked(named: list[NamedSchema]) -> tuple[NamedSchema, ...]:
    """No name may mean two schemas: neither in the index, nor in the database, nor across the two."""
    logical = [one.logical for one in named]
    for one in named:
        if logical.count(one.logical) > 1:
            raise InvalidInput.field("schemas", f"two schemas are called {one.logical} in the index")
        if one.physical != one.logical and one.physical in logical:
            raise InvalidInput.field("schemas", f"{one.logical} becomes {one.physical}, which is another schema's name")
    if len({one.physical for one in named}) < len(named):
        raise InvalidInput.field("schemas", "two schemas become the same one")
    return tuple(named)
