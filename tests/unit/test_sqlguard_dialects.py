"""Each dialect: what analysts write is proved, what could do harm is refused; with no catalog, as in a linter."""

from __future__ import annotations

import pytest

from basejump_sqlguard import Catalog
from sqlguard_world import proved, refused, table

ALLOWED = {
    "postgres": """
SELECT date_trunc('month', d) AS m, count(*) FILTER (WHERE x) FROM t GROUP BY GROUPING SETS ((1), ())
SELECT a ->> 'k', b #>> '{a,b}', c @> '{}'::jsonb FROM t
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM t
SELECT x FROM t WHERE y ~* 'a' AND z SIMILAR TO 'b' AND w ILIKE ANY(ARRAY['c'])
SELECT (ARRAY[1, 2])[1], ARRAY(SELECT a FROM t), row_number() OVER w FROM t WINDOW w AS (PARTITION BY a)
SELECT c.n, o.id FROM c CROSS JOIN LATERAL (SELECT id FROM o WHERE o.c = c.id LIMIT 3) o
SELECT extract(epoch FROM a - b), a AT TIME ZONE 'UTC', '1 day'::interval, make_interval(days => 3) FROM t
""",
    "redshift": """
SELECT DATEDIFF(day, a, b), DATEADD(month, 1, a), NVL(c, 0), LISTAGG(d, ',') FROM t GROUP BY 1, 2, 3
SELECT TOP 5 a FROM t ORDER BY a
SELECT JSON_EXTRACT_PATH_TEXT(a, 'k'), GETDATE() FROM t
""",
    "mysql": """
SELECT DATE_FORMAT(d, '%Y-%m'), GROUP_CONCAT(DISTINCT a ORDER BY a SEPARATOR ',') FROM t GROUP BY 1
SELECT IFNULL(a, 0), TIMESTAMPDIFF(DAY, a, b), DATE_ADD(a, INTERVAL 1 DAY), a DIV b, a <=> b FROM `t`
SELECT JSON_EXTRACT(a, '$.k'), a->>'$.k' FROM t WHERE b REGEXP 'x' LIMIT 5, 10
SELECT a FROM t # a comment
""",
    "tsql": """
SELECT TOP 10 [a b], COUNT_BIG(*) FROM [my table] GROUP BY [a b] ORDER BY 2 DESC
SELECT DATEDIFF(day, a, b), CONVERT(varchar(10), c), ISNULL(d, 0), IIF(a > 1, 1, 0) FROM dbo.t
SELECT a FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY
SELECT t.a, s.value FROM t CROSS APPLY STRING_SPLIT(t.b, ',') AS s
""",
    "snowflake": """
SELECT a:b.c::string, f.value FROM t, LATERAL FLATTEN(input => t.d) f
SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1
SELECT IFF(a, 1, 2), DATEADD(day, 1, b), TRY_TO_NUMBER(c), OBJECT_CONSTRUCT('a', 1) FROM t
""",
    "bigquery": """
SELECT DATE_TRUNC(d, MONTH), COUNTIF(a), SAFE_DIVIDE(a, b), a.b.c FROM `p.d.t` GROUP BY 1, 4
SELECT x FROM t, UNNEST(t.xs) AS x WITH OFFSET o WHERE o = 0
SELECT * EXCEPT (a), STRUCT(1 AS b), ARRAY_AGG(c IGNORE NULLS ORDER BY d LIMIT 3) FROM d.t GROUP BY ALL
""",
    "duckdb": """
FROM t SELECT a, list_transform([1, 2], x -> x + 1)
SELECT * EXCLUDE (a), strftime(d, '%Y'), a.b FROM t
PIVOT t ON y USING sum(a)
SELECT unnest(a), median(b) FROM t GROUP BY ALL
""",
    "sqlite": """
SELECT strftime('%Y', d), total(a), a || b, group_concat(c, ',') FROM t GROUP BY 1
SELECT json_extract(a, '$.k'), iif(b, 1, 2), a GLOB 'x*' FROM t
WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT x FROM c
""",
}

DENIED = {
    "redshift": """
UNLOAD ('select 1') TO 's3://x' IAM_ROLE 'y'
COPY t FROM 's3://x'
SELECT pg_terminate_backend(1)
SELECT * FROM stl_query
SELECT * FROM svv_tables
SELECT my_lambda(a) FROM t
SELECT a INTO b FROM t
""",
    "mysql": """
SELECT a FROM t INTO OUTFILE '/tmp/x'
SELECT a INTO DUMPFILE '/tmp/x' FROM t
SELECT a INTO @x FROM t
SELECT LOAD_FILE('/etc/passwd')
SELECT BENCHMARK(1000000, MD5('a'))
SELECT SLEEP(5)
SELECT GET_LOCK('a', 5)
SELECT @@version
SELECT @a := 1
SELECT USER(), DATABASE(), VERSION(), CURRENT_USER()
SELECT 1 /*! UNION SELECT 2 */
SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */
SELECT 1 /*M! , SLEEP(5) */
SELECT a FROM t FOR UPDATE
SELECT a FROM t LOCK IN SHARE MODE
SELECT a FROM t PROCEDURE ANALYSE()
SELECT LAST_INSERT_ID(5)
SELECT * FROM mysql.user
SELECT * FROM information_schema.tables
HANDLER t OPEN
""",
    "tsql": """
SELECT 1 SELECT 2
SELECT 1 DELETE FROM t
SELECT 1 EXEC xp_cmdshell 'dir'
SELECT a INTO b FROM t
SELECT * FROM OPENROWSET('x', 'y', 'z')
SELECT * FROM OPENQUERY(s, 'select 1')
SELECT * FROM OPENDATASOURCE('x', 'y').a.b.c
SELECT @@VERSION
SELECT @x = a FROM t
SELECT SUSER_NAME(), OBJECT_ID('t')
SELECT * FROM t WITH (TABLOCKX)
SELECT NEXT VALUE FOR s
SELECT * FROM sys.objects
SELECT * FROM fn_trace_gettable('x', 1)
WAITFOR DELAY '0:0:5'
EXEC('select 1')
""",
    "snowflake": """
SELECT * FROM @stage/file.csv
SELECT $1 FROM @~
SELECT SYSTEM$WAIT(5)
SELECT CURRENT_USER(), CURRENT_ROLE()
SELECT * FROM TABLE(RESULT_SCAN('x'))
SELECT * FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY())
SELECT GET_DDL('table', 't')
SELECT s.NEXTVAL
SELECT SNOWFLAKE.CORTEX.COMPLETE('m', 'p')
SELECT * FROM information_schema.tables
LIST @stage
GET @stage file:///tmp
EXECUTE IMMEDIATE 'select 1'
""",
    "bigquery": """
SELECT * FROM EXTERNAL_QUERY('c', 'select 1')
SELECT SESSION_USER()
SELECT @@project_id
SELECT * FROM ML.PREDICT(MODEL m, TABLE t)
SELECT * FROM d.INFORMATION_SCHEMA.TABLES
CREATE TEMP FUNCTION f() AS (1); SELECT f()
EXECUTE IMMEDIATE 'select 1'
SELECT ERROR('x')
DECLARE x INT64
""",
    "duckdb": """
SELECT * FROM read_csv('x')
SELECT * FROM read_parquet('x')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM parquet_metadata('x')
SELECT * FROM glob('*')
SELECT * FROM 'x.csv'
SELECT * FROM "x.parquet"
SELECT * FROM 'https://evil/x.csv'
SELECT * FROM sqlite_scan('x', 'y')
SELECT getenv('HOME')
SELECT current_setting('x')
SELECT * FROM duckdb_settings()
SELECT * FROM query('select 1')
SELECT * FROM query_table('t')
COPY t TO 'x'
ATTACH 'x'
INSTALL httpfs
LOAD httpfs
SET x = 1
CALL f()
""",
    "sqlite": """
SELECT load_extension('x')
SELECT readfile('/etc/passwd')
SELECT writefile('x', 'y')
SELECT * FROM sqlite_master
SELECT * FROM pragma_table_info('t')
SELECT randomblob(1000000000)
SELECT fts3_tokenizer('x')
ATTACH 'x' AS y
PRAGMA writable_schema = 1
VACUUM INTO 'x'
SELECT sqlite_version()
""",
}


def cases(statements: dict[str, str]) -> list[tuple[str, str]]:
    return [(dialect, sql) for dialect, text in statements.items() for sql in text.strip().splitlines()]


@pytest.mark.parametrize(("dialect", "sql"), cases(ALLOWED))
def test_what_analysts_write_is_proved_and_proves_again(dialect: str, sql: str) -> None:
    proof = proved(sql, dialect, None)
    assert proved(proof.sql, dialect, None).fingerprint == proof.fingerprint


@pytest.mark.parametrize(("dialect", "sql"), cases(DENIED))
def test_what_could_do_harm_is_refused(dialect: str, sql: str) -> None:
    assert refused(sql, dialect, None).code != "unprovable"
    assert refused(f"WITH q AS ({sql}) SELECT * FROM q", dialect, None)
    assert refused(f"SELECT 1; {sql}", dialect, None)


@pytest.mark.parametrize(
    ("dialect", "sql", "runs"),
    [
        ("mysql", "select NAME from users", "SELECT users.Name FROM shop.users LIMIT 10000"),
        ("snowflake", "select name from users", 'SELECT "users"."Name" FROM "shop"."users" LIMIT 10000'),
        ("tsql", "select name from users", "SELECT TOP 10000 users.Name FROM shop.users"),
        ("bigquery", "select name from shop.users", "SELECT users.Name FROM shop.users LIMIT 10000"),
        ("duckdb", 'select "NAME" from users', "SELECT users.Name FROM shop.users LIMIT 10000"),
        ("sqlite", "select name from users", "SELECT users.Name FROM shop.users LIMIT 10000"),
        ("redshift", "select name from users", "SELECT users.Name FROM shop.users LIMIT 10000"),
    ],
)
def test_case_follows_each_dialect_and_is_repaired(dialect: str, sql: str, runs: str) -> None:
    catalog = Catalog([table("users", "id Name", schema="shop")], default_schemas=["shop"])
    assert proved(sql, dialect, catalog).sql == runs


def test_a_database_without_schemas_has_plain_names() -> None:
    catalog = Catalog([table("users", "id name", schema="")])
    assert proved("SELECT * FROM users", "sqlite", catalog).sql == "SELECT users.id, users.name FROM users LIMIT 10000"


def test_a_bigquery_dataset_may_be_named_with_its_project() -> None:
    catalog = Catalog([table("users", "id", schema="proj.data")])
    for name in ("`proj.data.users`", "data.users", "proj.data.users"):
        assert "proj.data.users" in proved(f"SELECT id FROM {name}", "bigquery", catalog).sql.replace("`", "")
