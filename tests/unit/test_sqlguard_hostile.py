"""Statements that must never run on PostgreSQL, alone and in every disguise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basejump_sqlguard import Refusal, prove
from sqlguard_disguises import STACKS, places_of
from sqlguard_world import HOUSE, refused

HIDDEN_CALLS = """
SELECT pg_sleep(1)
SELECT PG_SLEEP(1)
SELECT "pg_sleep"(1)
SELECT pg_catalog.pg_sleep(1)
SELECT "pg_catalog"."pg_sleep"(1)
SELECT pg_sleep /* comment */ (1)
SELECT U&"pg\\005fsleep"(1)
SELECT (pg_sleep(1)).x
SELECT public.lower(name) FROM employees
SELECT hr.count(*) FROM employees
SELECT "COUNT"(id) FROM employees
SELECT 1 OPERATOR(public.@@@) 2
SELECT 1 OPERATOR(pg_catalog.+) 2
SELECT * FROM pg_sleep(1)
SELECT * FROM pg_sleep(1) AS t(x)
SELECT * FROM ROWS FROM (pg_sleep(1), generate_series(1, 2))
SELECT * FROM LATERAL pg_sleep(1)
SELECT * FROM employees, LATERAL (SELECT pg_sleep(1)) x
SELECT * FROM employees e JOIN LATERAL pg_ls_dir('.') f ON true
WITH pg_sleep(x) AS (SELECT 1) SELECT pg_sleep(10)
WITH lo_import(x) AS (SELECT 1) SELECT lo_import('/etc/passwd') FROM lo_import
SELECT * FROM (VALUES (pg_sleep(1))) v
VALUES (pg_sleep(1))
SELECT 1 WHERE pg_sleep(1) IS NULL
SELECT 1 ORDER BY pg_sleep(1)
SELECT 1 LIMIT (SELECT pg_sleep(1))
SELECT 1 LIMIT pg_sleep(1)
SELECT count(*) FILTER (WHERE pg_sleep(1) IS NULL) FROM employees
SELECT sum(1) OVER (ORDER BY pg_sleep(1))
SELECT sum(1) OVER w FROM employees WINDOW w AS (PARTITION BY pg_sleep(1))
SELECT array_agg(name ORDER BY pg_sleep(1)) FROM employees
SELECT CASE WHEN true THEN pg_sleep(1) END
SELECT ARRAY[pg_sleep(1)]
SELECT * FROM employees TABLESAMPLE SYSTEM ((SELECT pg_sleep(1)))
SELECT * FROM employees TABLESAMPLE evil(10)
SELECT DISTINCT ON (pg_sleep(1)) name FROM employees
SELECT * FROM employees GROUP BY ROLLUP (pg_sleep(1))
SELECT trim(both from pg_sleep(1)::text)
SELECT substring(name from 1 for pg_sleep(1)) FROM employees
SELECT overlay('a' placing pg_read_file('x') from 1)
SELECT position(pg_read_file('x') in 'a')
SELECT string_agg(pg_read_file('x'), ',')
SELECT json_object('a' : pg_read_file('x'))
SELECT format('%s', pg_read_file('x'))
SELECT date_trunc(pg_read_file('x'), now())
SELECT now() AT TIME ZONE pg_read_file('x')
SELECT '{}'::json -> pg_read_file('x')
""".strip().splitlines()

FORBIDDEN_FUNCTIONS = """
SELECT pg_read_file('/etc/passwd')
SELECT pg_read_binary_file('x'), pg_stat_file('x'), pg_ls_dir('.')
SELECT lo_get(1), lo_put(1, 0, ''), lo_creat(1), lo_unlink(1), loread(1, 1)
SELECT lo_import('/etc/passwd')
SELECT dblink('x', 'select 1')
SELECT * FROM dblink('x', 'select 1') AS t(a int)
SELECT * FROM crosstab('select 1') AS t(a int)
SELECT set_config('role', 'postgres', false)
SELECT current_setting('is_superuser')
SELECT nextval('s'), currval('s'), lastval(), setval('s', 1)
SELECT query_to_xml('select 1', true, true, '')
SELECT table_to_xml('pg_authid', true, true, '')
SELECT xmlparse(document '<a/>')
SELECT ts_rewrite('a'::tsquery, 'select 1')
SELECT * FROM ts_stat('SELECT 1')
SELECT pg_terminate_backend(1), pg_cancel_backend(1), pg_reload_conf()
SELECT pg_notify('a', 'b')
SELECT pg_advisory_lock(1)
SELECT txid_current()
SELECT setseed(0.1)
SELECT version()
SELECT current_user
SELECT session_user
SELECT current_database()
SELECT current_catalog
SELECT current_schema
SELECT inet_server_addr()
SELECT has_table_privilege('employees', 'insert')
SELECT to_regclass('pg_authid')
SELECT json_populate_record(null::hr.employees, '{}')
SELECT datediff('day', now(), now())
SELECT year(now())
SELECT ifnull(1, 2)
""".strip().splitlines()

WRITES_AND_SESSIONS = """
INSERT INTO employees VALUES (1)
UPDATE employees SET name = 'x'
DELETE FROM employees
MERGE INTO employees USING departments ON true WHEN MATCHED THEN DELETE
TRUNCATE employees
DROP TABLE employees
CREATE TABLE t AS SELECT 1
ALTER TABLE employees ADD COLUMN x int
GRANT ALL ON employees TO public
COMMENT ON TABLE employees IS 'x'
REFRESH MATERIALIZED VIEW mv
SELECT * INTO t FROM employees
SELECT * INTO TEMP t FROM employees
SELECT name INTO UNLOGGED TABLE t FROM employees
WITH x AS (INSERT INTO employees VALUES (1) RETURNING *) SELECT * FROM x
WITH x AS (UPDATE employees SET name = 'x' RETURNING *) SELECT * FROM x
WITH x AS (DELETE FROM employees RETURNING *) SELECT 1
WITH x AS (MERGE INTO employees USING departments ON true WHEN MATCHED THEN DELETE RETURNING 1) SELECT 1
WITH x AS (SELECT 1) DELETE FROM employees
SELECT * FROM employees FOR UPDATE
SELECT * FROM employees FOR NO KEY UPDATE
SELECT * FROM employees FOR SHARE SKIP LOCKED
SELECT * FROM employees FOR KEY SHARE OF employees NOWAIT
SELECT * FROM (SELECT * FROM employees FOR UPDATE) q
(SELECT name FROM employees FOR UPDATE) UNION SELECT name FROM employees
SELECT 1; SELECT 2
SELECT 1;;DROP TABLE employees
SELECT E'\\\\'; DROP TABLE employees; --'
SELECT 'a\\'; DROP TABLE employees; --'
EXPLAIN SELECT 1
EXPLAIN ANALYZE DELETE FROM employees
COPY employees TO '/tmp/x'
COPY (SELECT 1) TO PROGRAM 'id'
DO $$ BEGIN PERFORM pg_sleep(1); END $$
CALL evil()
PREPARE p AS SELECT 1
EXECUTE p
DECLARE c CURSOR FOR SELECT 1
LISTEN x
NOTIFY x
SHOW all
SET statement_timeout = 0
SET ROLE postgres
RESET ALL
DISCARD ALL
BEGIN
COMMIT
LOCK TABLE employees
VACUUM
CHECKPOINT
LOAD 'x'
SELECT /*! 1 */ name FROM employees
""".strip().splitlines()

OUTSIDE_THE_GRANT = """
SELECT * FROM pg_class
SELECT * FROM pg_catalog.pg_authid
SELECT * FROM information_schema.tables
TABLE pg_authid
WITH x AS (TABLE pg_authid) SELECT * FROM x
SELECT ARRAY(SELECT passwd FROM pg_shadow)
SELECT 1 OFFSET (SELECT count(*) FROM pg_authid)
SELECT (SELECT max(passwd) FROM pg_shadow) FROM employees
SELECT name FROM employees WHERE name IN (SELECT usename FROM pg_user)
SELECT name FROM employees UNION SELECT rolpassword FROM pg_authid
SELECT * FROM employees NATURAL JOIN pg_class
SELECT name FROM other.employees
SELECT name FROM db.hr.employees
SELECT * FROM payroll
SELECT secret FROM employees
SELECT password FROM employees
SELECT employees.password FROM employees
SELECT 1 FROM employees WHERE password = 'x'
SELECT count(*) FROM employees GROUP BY password
SELECT 1 FROM employees ORDER BY password
SELECT 1 FROM employees a JOIN employees b USING (password)
SELECT 1 FROM employees a NATURAL JOIN employees b
SELECT (SELECT password FROM departments LIMIT 1) FROM employees
SELECT sum(1) OVER (ORDER BY password) FROM employees
SELECT ctid FROM employees
SELECT xmin, cmin, tableoid FROM employees
SELECT employees.ctid FROM employees
SELECT s.ctid FROM (SELECT * FROM employees) s
SELECT e FROM employees e
SELECT employees FROM employees
SELECT row_to_json(e) FROM employees e
SELECT to_jsonb(employees) FROM employees
SELECT json_agg(e.*) FROM employees e
SELECT e::text FROM employees e
SELECT e.*::text FROM employees e
SELECT count(e.*) FROM employees e
SELECT count(e) FROM employees e
SELECT ROW(e.*) FROM employees e
SELECT (e).* FROM employees e
SELECT (e).password FROM employees e
SELECT (SELECT e) FROM employees e
SELECT e IS NULL FROM employees e
SELECT 1 FROM employees e WHERE e = e
SELECT * FROM employees ORDER BY employees
SELECT id FROM employees GROUP BY employees
SELECT DISTINCT employees FROM employees
SELECT j FROM (employees CROSS JOIN departments) AS j
SELECT j.password FROM (employees CROSS JOIN departments) AS j
SELECT e FROM (employees) AS e
SELECT * FROM employees AS t(a, b, c, d, e, f, g)
SELECT e.pg_sleep FROM employees e
SELECT 'pg_authid'::regclass
SELECT CAST('x' AS regproc)
SELECT regclass 'pg_authid'
SELECT 'x'::pg_catalog.regclass
SELECT null::employees
SELECT 'x'::public.evil
SELECT * FROM json_to_recordset('[]') AS t(a int, b regclass)
SELECT name COLLATE evil.coll FROM employees
SELECT $1
SELECT :name
SELECT ?
""".strip().splitlines()

HOSTILE = [*HIDDEN_CALLS, *FORBIDDEN_FUNCTIONS, *WRITES_AND_SESSIONS, *OUTSIDE_THE_GRANT]


@pytest.mark.parametrize("sql", HOSTILE)
def test_a_hostile_statement_is_refused_with_a_code_and_a_sentence(sql: str) -> None:
    result = refused(sql)
    assert result.code.isidentifier()
    assert result.code != "unprovable"
    assert result.reason.endswith(".")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT pg_sleep(1)", "forbidden_function"),
        ("SELECT 1; SELECT 2", "multiple_statements"),
        ("DELETE FROM employees", "not_a_query"),
        ("SELECT * FROM employees FOR UPDATE", "locking_clause"),
        ("SELECT * INTO t FROM employees", "writes_table"),
        ("SELECT * FROM nowhere", "unknown_table"),
        ("SELECT * FROM payroll", "unknown_table"),
        ("SELECT nothing FROM employees", "unknown_column"),
        ("SELECT password FROM employees", "unknown_column"),
        ("SELECT x.name FROM employees", "unknown_alias"),
        ("SELECT name FROM employees, departments", "ambiguous_column"),
        ("SELECT e FROM employees e", "whole_row"),
        ("SELECT 'x'::regclass", "forbidden_cast"),
        ("SELECT 1 OPERATOR(pg_catalog.+) 2", "forbidden_operator"),
        ("SELECT /*! 1 */ 1", "executable_comment"),
        ("SELECT $1", "parameter"),
        ("SELECT , name FROM employees", "syntax"),
        ("SELECT FROM WHERE", "syntax"),
        ("", "empty"),
        ("SELECT 1 FROM employees WHERE salary > 'much'", "type_mismatch"),
        ("SELECT id FROM employees UNION SELECT id, name FROM employees", "column_count"),
        ("SELECT * FROM employees, employees", "duplicate_alias"),
    ],
)
def test_the_code_of_a_refusal_says_what_is_wrong(sql: str, code: str) -> None:
    assert refused(sql).code == code


def test_deep_nesting_is_refused_instead_of_raising() -> None:
    assert refused("SELECT " + "(" * 5000 + "1" + ")" * 5000).code in ("too_complex", "syntax")
    assert refused("SELECT 1" + " + 1" * 60_000).code == "too_long"


def test_a_dialect_without_an_allow_list_is_refused_altogether() -> None:
    for dialect in ("oracle", "clickhouse", "", "nonsense", "athena"):
        assert refused("SELECT 1", dialect).code == "unsupported_dialect"


QUERIES = [sql for sql in HOSTILE if sql.startswith(("SELECT", "WITH")) and ";" not in sql and " INTO " not in sql]


@given(
    sql=st.sampled_from(QUERIES),
    wrappings=st.lists(st.sampled_from([*places_of("postgres"), *STACKS]), min_size=1, max_size=3),
    space=st.sampled_from([" ", "\n", "\t", " /**/ ", " --x\n", "\u00a0", "\u2003", "\u3000"]),
    upper=st.booleans(),
)
def test_a_hostile_query_stays_refused_in_any_wrapping(sql: str, wrappings: list[str], space: str, upper: bool) -> None:
    disguised = sql.upper() if upper and "'" not in sql and '"' not in sql else sql
    disguised = disguised.replace(" ", space)
    for wrapping in wrappings:
        disguised = wrapping.replace("{}", disguised)
    assert isinstance(prove(disguised, "postgres", HOUSE), Refusal)
