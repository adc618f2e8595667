"""Which columns of a statement may be added up: counts and sums, however they are wrapped; nothing else."""

import pytest

from basejump_chat_agent.domain.charts import additive_columns


@pytest.mark.parametrize(
    ("sql", "places"),
    [
        ("SELECT d, COUNT(*), SUM(x), AVG(x), MIN(x), x FROM t GROUP BY d, x", {1, 2}),
        ("SELECT d, COUNT(DISTINCT x), SUM(DISTINCT x) FROM t GROUP BY d", set()),
        (
            "SELECT ROUND(SUM(x), 2) AS a, COALESCE(SUM(x), 0), SUM(x)::int, -SUM(x), 100 * SUM(x) FROM t",
            {0, 1, 2, 3, 4},
        ),
        ("SELECT SUM(x) / 2, SUM(x) / COUNT(*), SUM(x) * SUM(x), SUM(x) - SUM(y), COUNT(x) + 1 FROM t", {0, 3}),
        ("SELECT COUNT(*) FILTER (WHERE x > 1), SUM(x) OVER (ORDER BY y) FROM t", {0}),
        ("SELECT d, SUM(x) FROM t GROUP BY ROLLUP (d)", set()),
        ("SELECT d, n FROM (SELECT d, COUNT(*) AS n, AVG(x) AS m FROM t GROUP BY d) AS s", {1}),
        ("WITH s AS (SELECT d, COUNT(*) AS n FROM t GROUP BY d) SELECT n, d FROM s ORDER BY n", {0}),
        ("WITH s AS (SELECT d, COUNT(*) AS n FROM t GROUP BY d) SELECT MAX(n), n FROM s GROUP BY n", set()),
        ("SELECT 1 AS n UNION SELECT 2", set()),
        ("not sql at all (", set()),
    ],
)
def test_counts_and_sums_may_be_added_up(sql: str, places: set[int]) -> None:
    assert additive_columns(sql, "postgres") == places
