"""Names that mean the server, the session or a file, dialect by dialect: looked at where no catalog says what is meant.

With a catalog a name means what the catalog says; these lists don't matter then."""

from __future__ import annotations

from collections.abc import Sequence

_SCHEMAS = frozenset(
    ["pg_catalog", "information_schema", "pg_toast", "pg_internal", "sys", "mysql", "performance_schema", "sqlite_temp"]
)
_PREFIXES = ("pg_", "sqlite_", "stl_", "stv_", "svl_", "svv_", "svcs_", "duckdb_", "pragma_", "__tables", "dm_exec_")
_TSQL_VIEWS = """
sysaltfiles syscacheobjects syscolumns syscomments sysconfigures sysconstraints sysdatabases sysdepends sysfilegroups
sysfiles sysforeignkeys sysindexes syslanguages syslockinfo syslogins sysmembers sysmessages sysobjects sysoledbusers
sysperfinfo syspermissions sysprocesses sysprotects sysreferences sysremotelogins sysservers systypes sysusers
sysxlogins fn_
"""
# Names that mean something only there: elsewhere they may be anybody's table.
_PREFIXES_OF = {"redshift": ("sys_",), "sqlite": ("dbstat", "fts5vocab"), "tsql": tuple(_TSQL_VIEWS.split())}
_DATABASES_OF = {
    "tsql": frozenset({"master", "msdb", "tempdb", "model"}),
    "snowflake": frozenset({"snowflake"}),
    "duckdb": frozenset({"system", "temp"}),
}
_FILE_ENDINGS = """
csv tsv txt json jsonl ndjson parquet arrow feather avro orc xlsx xls db duckdb sqlite gz zst bz2 zip geojson shp gpkg
html xml log sql
"""
_MARKS = frozenset("/\\:*?@")
_ENDINGS = frozenset(_FILE_ENDINGS.split())

_WITHOUT_PARENTHESES = {
    "current_user", "session_user", "system_user", "current_role", "current_catalog", "current_schema",
    "current_user_id", "current_database", "current_namespace",
}  # fmt: skip
_SESSION = {
    dialect: frozenset({*_WITHOUT_PARENTHESES, *more.split()})
    for dialect, more in {
        "postgres": "user",
        "redshift": "user",
        "tsql": "user",
        "duckdb": "user",
        "snowflake": "current_account current_warehouse",
    }.items()
}


def is_system_table(parts: Sequence[str], dialect: str) -> bool:
    """Whether a name, in parts and lower case, is of a system relation."""
    prefixes = (*_PREFIXES, *_PREFIXES_OF.get(dialect, ()))
    if any(part in _SCHEMAS or part.startswith("pg_") for part in parts[:-1]) or parts[-1].startswith(prefixes):
        return True
    database = parts[0] if len(parts) > 2 or dialect == "duckdb" else None
    return database in _DATABASES_OF.get(dialect, ()) or "$__" in parts[-1]


def is_file(parts: Sequence[str], dialect: str) -> bool:
    """Whether a name, in parts, could be read as a path, a URL or a stage."""
    last = parts[-1]
    if dialect == "bigquery":
        last = last.removesuffix("*")  # all tables with names that begin so
    if any(set(part) & _MARKS for part in (*parts[:-1], last)):
        return True
    return dialect == "duckdb" and ("." in last or (len(parts) > 1 and last.lower() in _ENDINGS))


def is_session_word(name: str, dialect: str) -> bool:
    """Whether a word without parentheses, unquoted, is what the session says and no column."""
    return name.lower() in _SESSION.get(dialect, _WITHOUT_PARENTHESES)


def is_system_column(name: str, dialect: str) -> bool:
    """Whether every table has a column of this name that nobody made; no other may have it."""
    if dialect in ("postgres", "redshift"):
        return name in ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
    return name.lower().startswith({"snowflake": "metadata$", "tsql": "$"}.get(dialect, "\0"))
