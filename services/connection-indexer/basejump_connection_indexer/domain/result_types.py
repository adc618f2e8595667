"""PostgreSQL's internal names of types, as people know them."""

_SPELLED = {
    "bool": "boolean",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "varchar": "character varying",
    "bpchar": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}


def spelled(name: str) -> str:
    """`int4[]` or `_int4` → `integer[]`."""
    is_array = name.startswith("_") or name.endswith("[]")
    plain = name.removeprefix("_").removesuffix("[]") if is_array else name
    return _SPELLED.get(plain, plain) + ("[]" if is_array else "")
