"""PostgreSQL's internal names of types: as people know them, and how values of them are kept."""

from basejump_connection_indexer.domain.session import Kept

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
_KEPT = {
    "bool": Kept.BOOL,
    "int2": Kept.INT16,
    "int4": Kept.INT32,
    "int8": Kept.INT64,
    "oid": Kept.INT64,
    "float4": Kept.FLOAT,
    "float8": Kept.DOUBLE,
    "numeric": Kept.DECIMAL,
    "date": Kept.DATE,
    "timestamp": Kept.TIMESTAMP,
    "timestamptz": Kept.TIMESTAMP_UTC,
    "time": Kept.TIME,
    "bytea": Kept.BINARY,
    "text": Kept.STRING,
    "varchar": Kept.STRING,
    "bpchar": Kept.STRING,
    "name": Kept.STRING,
    "json": Kept.STRING,
    "jsonb": Kept.STRING,
}


def spelled(name: str) -> str:
    """`int4[]` or `_int4` → `integer[]`."""
    is_array = name.startswith("_") or name.endswith("[]")
    plain = name.removeprefix("_").removesuffix("[]") if is_array else name
    return _SPELLED.get(plain, plain) + ("[]" if is_array else "")


def kept(name: str) -> Kept:
    """How a column of a result is kept."""
    return _KEPT.get(name, Kept.AS_TEXT)
