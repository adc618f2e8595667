"""The schemas to index: plain names and templated ones such as `hr{{region}}`."""

import re

from basejump_common.contracts.connection import Schema
from basejump_common.errors import InvalidInput

LONGEST = 63  # bytes of a PostgreSQL identifier; names are ASCII here
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_NAME = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


def schema_names(schemas: tuple[Schema, ...], *, default: str | None) -> tuple[str, ...]:
    """The names in the order given, each once, then `default` if any. Raises InvalidInput naming the field."""
    names = [_name(schema, f"schemas[{place}]") for place, schema in enumerate(schemas)]
    if default is not None:
        names.append(default)
    if not names:
        raise InvalidInput.field("schemas", "name at least one schema, or include the default one")
    return tuple(dict.fromkeys(names))


def check_name(name: str, field: str) -> str:
    """A whole schema name. Raises InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput.field(field, "only letters, digits and _ are allowed")
    if len(name) > LONGEST:
        raise InvalidInput.field(field, f"longer than {LONGEST} characters")
    return name


def _name(schema: Schema, field: str) -> str:
    def value(match: re.Match[str]) -> str:
        found = schema.jinja_values.get(match[1])
        if not found:
            raise InvalidInput.field(f"{field}.jinja_values", f"no value for {match[1]}")
        return check_name(found, f"{field}.jinja_values.{match[1]}")

    literal = _PLACEHOLDER.sub("", schema.schema_nm)
    if "{" in literal or "}" in literal:
        raise InvalidInput.field(f"{field}.schema_nm", "malformed braces: write {{name}}")
    return check_name(_PLACEHOLDER.sub(value, schema.schema_nm), f"{field}.schema_nm")
