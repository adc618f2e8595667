"""What may a login do beyond SELECT? The floor below the proof: such a login turns a hole in it into a write."""

from collections.abc import Sequence

import asyncpg

_MOST_NAMED = 5

_ATTRIBUTES = """
    select rolsuper as "is a superuser", rolcreaterole as "may create roles", rolcreatedb as "may create databases",
           rolreplication as "may replicate", rolbypassrls as "may bypass row security",
           pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') as "may create schemas"
    from pg_catalog.pg_roles where rolname = current_user
"""
# Roles that read or write files, run programs, write everywhere or act on others' sessions.
_MEMBERSHIPS = """
    select rolname::text as name from pg_catalog.pg_roles
    where rolname in (
            'pg_write_server_files', 'pg_read_server_files', 'pg_execute_server_program', 'pg_write_all_data',
            'pg_signal_backend', 'pg_signal_autovacuum_worker', 'pg_maintain', 'pg_create_subscription',
            'pg_checkpoint', 'pg_database_owner')
        and pg_catalog.pg_has_role(current_user, oid, 'MEMBER')
    order by rolname
"""
# Privileges of roles that the login could switch to count as well: INHERIT or not, SET ROLE is one statement away.
_WRITABLE = """
    with mine as (select oid from pg_catalog.pg_roles where pg_catalog.pg_has_role(current_user, oid, 'MEMBER'))
    select n.nspname || '.' || c.relname as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and exists (
          select from mine
          where pg_catalog.has_table_privilege(mine.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
             or pg_catalog.has_any_column_privilege(mine.oid, c.oid, 'INSERT, UPDATE'))
    order by 1 limit $1
"""
_CREATABLE = """
    select nspname::text as name from pg_catalog.pg_namespace
    where nspname = any($1::text[]) and pg_catalog.has_schema_privilege(oid, 'CREATE')
    order by nspname
"""
# What leaves the read-only transaction: sessions of its own, files, the network, languages that may do anything.
_ESCAPES = """
    select distinct coalesce('functions of ' || e.extname, p.pronamespace::regnamespace || '.' || p.proname) as name
    from pg_catalog.pg_proc p
    join pg_catalog.pg_language l on l.oid = p.prolang
    left join pg_catalog.pg_depend d
        on d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    left join pg_catalog.pg_extension e on e.oid = d.refobjid
    where (e.extname = any($1::text[]) or not (l.lanpltrusted or l.lanname in ('internal', 'c', 'sql')))
      and p.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
      and p.proname !~ '_(call|inline)_handler$' and p.proname !~ '_validator$'
      and pg_catalog.has_function_privilege(current_user, p.oid, 'EXECUTE')
    order by 1 limit $2
"""
_REACHING_OUT = (
    "adminpack",
    "aws_lambda",
    "aws_s3",
    "dblink",
    "http",
    "orafce",
    "pg_background",
    "pg_net",
    "plproxy",
    "plsh",
)


async def risks(connection: "asyncpg.Connection[asyncpg.Record]", schemas: Sequence[str]) -> tuple[str, ...]:
    """What the login may do beyond SELECT; `connection` is in a transaction."""
    attributes = await connection.fetchrow(_ATTRIBUTES)
    found = [words for words, has in (attributes or {}).items() if has]
    if "is a superuser" in found:
        # It may do everything that follows, and in every schema.
        return ("is a superuser",)
    memberships = [row["name"] for row in await connection.fetch(_MEMBERSHIPS)]
    found += [f"is a member of {name}" for name in memberships]
    if tables := [row["name"] for row in await connection.fetch(_WRITABLE, _MOST_NAMED + 1)]:
        more = " and others" if len(tables) > _MOST_NAMED else ""
        found.append(f"may write to {', '.join(tables[:_MOST_NAMED])}{more}")
    found += [f"may create in schema {row['name']}" for row in await connection.fetch(_CREATABLE, list(schemas))]
    if escapes := [row["name"] for row in await connection.fetch(_ESCAPES, _REACHING_OUT, _MOST_NAMED)]:
        found.append(f"may execute {', '.join(escapes)}, which reach beyond a read-only transaction")
    return tuple(found)
