"""From rows to charts: what is chosen by default, what a wish changes, and what is refused in so many words."""

from typing import Any

import msgspec
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basejump_chat_agent.domain.charts import Chart, Kind, NoChart, Table, Wish, asked_chart, draw
from basejump_chat_agent.domain.charts.choosing import READ_ROWS, Choice, Reading, choose, reading
from basejump_common.contracts.connection import Pick, ResultColumn

Rows = list[tuple[Any, ...]]


def table(columns: str, rows: Rows, **fields: Any) -> Table:
    """`columns` as `name type, …`."""
    named = [column.strip().split(" ", 1) for column in columns.split(",")]
    fields.setdefault("row_count", len(rows))
    return Table(columns=tuple(ResultColumn(name=n, type=t) for n, t in named), rows=tuple(rows), **fields)


def drawn(of: Table, **wish: Any) -> Chart:
    """The chart, which Plotly takes."""
    chart = draw(of, Wish(**wish))
    assert isinstance(chart, Chart), chart
    go.Figure(chart.figure)
    return chart


def refused(of: Table, **wish: Any) -> str:
    found = draw(of, Wish(**wish))
    assert isinstance(found, NoChart)
    return found.sentence


def first(chart: Chart) -> dict[str, Any]:
    found: dict[str, Any] = chart.figure["data"][0]
    return found


MONTHS = table("month date, total numeric", [("2024-03-01", 5), ("2024-01-01", 2.5), ("2024-02-01", None)])
SALARIES = table("department text, avg_salary numeric", [("IT", 5760), ("Sales", 8955.5), ("HR", 6500)])
COUNTS = table("city text, count bigint", [(f"City {n}", 100 - n) for n in range(30)], additive=frozenset({1}))


def test_figures_over_time_are_a_line_in_the_order_of_time() -> None:
    chart = drawn(MONTHS)
    assert (first(chart)["type"], first(chart)["mode"]) == ("scatter", "lines+markers")
    assert first(chart)["x"] == ["2024-01-01", "2024-02-01", "2024-03-01"]
    assert first(chart)["y"] == [2.5, None, 5]
    assert chart.figure["layout"]["xaxis"]["type"] == "date"
    assert chart.explanation == "A line chart of total by month."


def test_figures_of_categories_are_bars_from_the_highest() -> None:
    chart = drawn(SALARIES)
    assert (first(chart)["type"], first(chart)["x"]) == ("bar", ["Sales", "HR", "IT"])
    assert chart.figure["layout"]["title"]["text"] == "Avg salary by department"
    assert chart.figure["layout"]["yaxis"]["tickformat"] == ","
    assert "from the highest to the lowest" in chart.explanation


def test_an_ascending_order_is_kept() -> None:
    rows: Rows = [("HR", 1), ("IT", 2), ("Sales", 3)]
    assert first(drawn(table("department text, cost integer", rows)))["x"] == ["HR", "IT", "Sales"]


def test_of_many_counts_the_twenty_largest_and_the_rest_are_drawn() -> None:
    chart = drawn(COUNTS)
    labels, values = first(chart)["y"], first(chart)["x"]
    assert first(chart)["orientation"] == "h"
    assert len(labels) == 21
    assert labels[-1] == "Other (10)"
    assert values[-1] == sum(100 - n for n in range(20, 30))
    assert sum(values) == sum(100 - n for n in range(30))
    assert "the 20 largest of 30 are drawn, the other 10 added up" in chart.explanation


def test_averages_have_no_rest_to_add_up() -> None:
    chart = drawn(msgspec.structs.replace(COUNTS, additive=frozenset()))
    assert len(first(chart)["x"]) == 20
    assert "the 20 largest of 30 are drawn." in chart.explanation


def test_the_rest_of_a_larger_result_comes_with_the_rows_that_were_picked() -> None:
    larger = msgspec.structs.replace(COUNTS, row_count=100_000, rest=1_000_000.0)
    chart = drawn(larger)
    assert first(chart)["y"][-1] == "Other (99,980)"
    assert first(chart)["x"][-1] == 1_000_000 + sum(100 - n for n in range(20, 30))


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ("name text, total bigint", ("a", 1), Reading(columns=(0, 1), pick=Pick.LARGEST, by=1)),
        ("day date, total bigint", ("2024-01-01", 1), Reading(columns=(0, 1), pick=Pick.EVEN)),
        ("weight real, note json, height real", (1.5, "{}", 2.5), Reading(columns=(0, 2), pick=Pick.EVEN)),
    ],
)
def test_of_a_large_result_rows_are_picked_that_show_all_of_it(
    columns: str, row: tuple[Any, ...], expected: Reading
) -> None:
    known = table(columns, [row], row_count=READ_ROWS + 1)
    choice = choose(known, Wish())
    assert isinstance(choice, Choice)
    assert reading(known, choice) == expected


def test_two_figures_are_a_scatter() -> None:
    chart = drawn(table("height real, weight real", [(1.8, 80), (1.7, None), (1.6, 60)]))
    assert first(chart)["mode"] == "markers"
    assert (first(chart)["x"], first(chart)["y"]) == ([1.8, 1.6], [80, 60])


def test_many_points_are_thinned_and_it_is_said() -> None:
    chart = drawn(table("a real, b real", [(n / 2, n) for n in range(10_000)]))
    assert len(first(chart)["x"]) == READ_ROWS
    assert "2,000 evenly spaced rows of 10,000 are drawn" in chart.explanation


def test_a_second_category_is_a_series() -> None:
    rows: Rows = [(d, g, n) for n, d in enumerate(("IT", "HR", "Sales")) for g in ("f", "m")]
    counted = table("department text, gender text, employees bigint", rows, additive=frozenset({2}))
    chart = drawn(counted)
    assert [trace["name"] for trace in chart.figure["data"]] == ["f", "m"]
    assert chart.figure["layout"]["barmode"] == "stack"
    averages = drawn(msgspec.structs.replace(counted, additive=frozenset()))
    assert averages.figure["layout"]["barmode"] == "group"


def test_a_category_over_time_is_a_line_each() -> None:
    rows: Rows = [(year, kind, year + len(kind)) for kind in ("a", "bb") for year in (2022, 2021, 2023)]
    chart = drawn(table("year integer, kind text, total bigint", rows))
    assert [trace["name"] for trace in chart.figure["data"]] == ["a", "bb"]
    assert first(chart)["x"] == ["2021", "2022", "2023"]
    assert chart.figure["layout"]["xaxis"]["type"] == "category"


def test_first_and_last_name_name_a_person_together() -> None:
    rows: Rows = [("Ann", "Lee", "IT", 3), ("Ann", "Ek", "HR", 2), ("Bo", "Lee", "IT", 1)]
    chart = drawn(table("first_name text, last_name text, department text, salary numeric", rows))
    assert first(chart)["x"] == ["Ann Lee", "Ann Ek", "Bo Lee"]
    cities = table(
        "city text, country text, people bigint", [("Ayr", "x", 3), ("Ayr", "y", 2), ("Ulm", "x", 1), ("Rom", "z", 0)]
    )
    assert first(drawn(cities))["x"] == ["Ayr x", "Ayr y", "Ulm x", "Rom z"]


def test_identifiers_are_no_figures() -> None:
    rows: Rows = [(101, "Ann", 5.5), (102, "Bo", 4.5)]
    chart = drawn(table("employee_id integer, name text, salary numeric", rows))
    assert (first(chart)["x"], first(chart)["y"]) == (["Ann", "Bo"], [5.5, 4.5])


def test_figures_of_like_size_share_the_axis_and_others_are_named_as_left_out() -> None:
    rows: Rows = [("IT", 10, 5_000, 9_000), ("HR", 3, 4_000, 6_000), ("Ads", 4, 4_500, 9_500)]
    chart = drawn(table("department text, heads bigint, min_pay numeric, max_pay numeric", rows))
    assert [trace["name"] for trace in chart.figure["data"]] == ["Min pay", "Max pay"]
    assert chart.explanation.endswith("; heads is not drawn.")


def test_months_and_days_by_name_have_their_order() -> None:
    chart = drawn(table("month text, total bigint", [("March", 1), ("January", 3), ("February", 2)]))
    assert first(chart)["x"] == ["January", "February", "March"]
    quarters = drawn(table("quarter text, total bigint", [("Q2 2023", 1), ("Q1 2024", 3), ("Q1 2023", 2)]))
    assert first(quarters)["x"] == ["Q1 2023", "Q2 2023", "Q1 2024"]


def test_decimals_are_numbers_and_what_is_none_is_a_gap() -> None:
    chart = drawn(table("n text, v numeric", [("a", "12.50"), ("b", "NaN"), ("c", 3)]))
    assert first(chart)["y"] == [12.5, 3, None]


# -- wishes


def test_a_pie_is_drawn_when_asked_for_and_the_parts_are_a_whole() -> None:
    chart = drawn(COUNTS, kind=Kind.PIE)
    assert first(chart)["type"] == "pie"
    assert first(chart)["labels"][-1] == "Other (22)"
    assert sum(first(chart)["values"]) == sum(100 - n for n in range(30))


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (SALARIES, "the values of Avg salary don't add up to a whole"),
        (table("a text, n bigint", [("x", 1), ("y", -1)], additive=frozenset({1})), "shares of a whole are above zero"),
        (
            table("a text, n bigint", [(str(n), n) for n in range(90)], additive=frozenset({1})),
            "90 slices are too many",
        ),
    ],
)
def test_a_pie_that_would_mislead_is_bars_and_it_is_said(of: Table, why: str) -> None:
    chart = drawn(of, kind=Kind.PIE)
    assert first(chart)["type"] == "bar"
    assert why in chart.explanation


def test_a_line_over_categories_is_bars_and_it_is_said() -> None:
    chart = drawn(SALARIES, kind=Kind.LINE)
    assert first(chart)["type"] == "bar"
    assert "not what was asked for, because a line chart needs an order" in chart.explanation


def test_an_area_fills_one_series_and_stacks_sums() -> None:
    assert first(drawn(MONTHS, kind=Kind.AREA))["fill"] == "tozeroy"
    rows: Rows = [(f"2024-0{m}-01", k, m) for m in range(1, 5) for k in ("a", "b")]
    sums = table("m date, k text, n bigint", rows, additive=frozenset({2}))
    assert first(drawn(sums, kind=Kind.AREA))["stackgroup"] == "one"
    averages = msgspec.structs.replace(sums, additive=frozenset())
    assert "can't be stacked" in drawn(averages, kind=Kind.AREA).explanation


def test_named_columns_are_drawn() -> None:
    rows: Rows = [("IT", 10, 5_000), ("HR", 3, 4_000)]
    chart = drawn(
        table("Department text, heads bigint, pay numeric", rows), x="department", y=("heads",), title="Heads"
    )
    assert first(chart)["y"] == [10, 3]
    assert chart.figure["layout"]["title"]["text"] == "Heads"


def test_counts_of_one_place_are_added_up_and_averages_are_not() -> None:
    rows: Rows = [("IT", "Oslo", 1), ("IT", "Rome", 2), ("HR", "Oslo", 4)]
    counted = table("department text, city text, n bigint", rows, additive=frozenset({2}))
    chart = drawn(counted, x="city", kind=Kind.PIE)
    assert (first(chart)["labels"], first(chart)["values"]) == (["Oslo", "Rome"], [5, 2])
    assert "values of one City are added up" in chart.explanation
    repeated = table("department text, pay numeric", [("IT", 1), ("IT", 2), ("HR", 1)])
    assert "several rows share one Department" in refused(repeated)


# -- what can't be drawn


@pytest.mark.parametrize(
    ("of", "wish", "why"),
    [
        (table("n bigint", []), {}, "the result is empty"),
        (table("n bigint", [(7,)]), {}, "the result is a single row"),
        (table("a text, b text", [("x", "y"), ("z", "w")]), {}, "no column of the result holds figures to draw"),
        (table("a json, n bigint", [("{}", 1), ("{}", 2)]), {}, "there is nothing to put the figures against"),
        (SALARIES, {"x": "nowhere"}, 'the result has no column "nowhere"; it has department, avg_salary'),
        (SALARIES, {"y": ("department",)}, 'the column "department" holds no figures'),
        (table("a text, n bigint", [("x", None), ("y", None)]), {}, "N has no values"),
    ],
)
def test_what_does_not_fit_is_said_so(of: Table, wish: dict[str, Any], why: str) -> None:
    assert refused(of, **wish) == f"No chart fits, because {why}."


def test_texts_of_the_data_are_neither_markup_nor_formulas() -> None:
    rows: Rows = [("<a href='https://evil.example'>x</a>", 2), ("$5$ & <3", 1), ("long " * 100, 0)]
    labels = first(drawn(table("n text, v bigint", rows)))["y"]
    assert not any("<a" in label or "$" in label or len(label) > 100 for label in labels)
    assert labels[1] == "&#36;5&#36; & <3"


def test_labels_that_are_the_same_once_cut_stay_apart() -> None:
    rows: Rows = [("x" * 100 + str(n), n) for n in range(3)]
    labels = first(drawn(table("n text, v bigint", rows)))["y"]
    assert len(set(labels)) == 3


# -- whatever the result and the wish

_TYPES = ("text", "bigint", "numeric", "date", "timestamp without time zone", "boolean", "json", "odd")
_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=200),
    st.dates().map(str),
    st.sampled_from(["NaN", "2024-01-01T00:00:00Z", "January", "Q1 2024", "12.5", "<b>", "$x$"]),
    st.lists(st.integers(), max_size=2),
)


@st.composite
def _tables(draw_: st.DrawFn) -> Table:
    width = draw_(st.integers(1, 4))
    columns = tuple(
        ResultColumn(name=draw_(st.sampled_from(["a", "b_id", "year", "n", "?column?", "N", ""])), type=kind)
        for kind in draw_(st.lists(st.sampled_from(_TYPES), min_size=width, max_size=width))
    )
    rows = tuple(draw_(st.lists(st.tuples(*[_CELLS] * width), max_size=60)))
    return Table(
        columns=columns,
        rows=rows,
        row_count=len(rows) + draw_(st.sampled_from([0, 0, 100_000] if rows else [0])),
        truncated=draw_(st.booleans()),
        additive=draw_(st.frozensets(st.integers(0, 3))),
        rest=draw_(st.none() | st.floats(-1e9, 1e9)),
    )


_WISHES = st.builds(
    Wish,
    kind=st.none() | st.sampled_from(Kind),
    x=st.none() | st.sampled_from(["a", "n", "year"]),
    y=st.sampled_from([(), ("n",), ("a", "n")]),
    series=st.none() | st.sampled_from(["a", "b_id"]),
    title=st.none() | st.text(max_size=200),
)


@given(_tables(), _WISHES)
def test_every_chart_is_plain_data_that_plotly_takes_and_small(of: Table, wish: Wish) -> None:
    found = draw(of, wish)
    if isinstance(found, NoChart):
        assert found.reason
        return
    go.Figure(found.figure)
    assert len(msgspec.json.encode(found.figure)) < 300_000
    assert found.figure.keys() == {"data", "layout"}
    assert found.explanation.endswith(".")
    assert sum(len(trace.get("x", trace.get("labels"))) for trace in found.figure["data"]) <= READ_ROWS * 10


# -- wishes in words


@pytest.mark.parametrize(
    ("question", "kind", "rest"),
    [
        (
            "Show me a bar chart of the number of employees by department",
            Kind.BAR,
            "the number of employees by department",
        ),
        ("Plot the average salary by department", None, "the average salary by department"),
        ("Please draw a pie chart of sales by region!", Kind.PIE, "sales by region"),
        ("How many employees are there per year, as a line chart?", Kind.LINE, "How many employees are there per year"),
        (
            "What is the average salary by department? Show it in a graph",
            None,
            "What is the average salary by department?",
        ),
        ("List sales by month and plot it", None, "List sales by month"),
        ("Plot sales by month as an area chart", Kind.AREA, "sales by month"),
        ("now as a column chart", Kind.BAR, ""),
        ("Show that as a donut chart", Kind.PIE, ""),
        ("plot it", None, ""),
    ],
)
def test_a_chart_is_asked_for_in_words(question: str, kind: Kind | None, rest: str) -> None:
    asked = asked_chart(question)
    assert asked is not None
    assert (asked.wish.kind, asked.rest) == (kind, rest)


@pytest.mark.parametrize(
    "question",
    [
        "How many plots of land are there?",
        "Which songs are in the charts?",
        "Show the area of each country",
        "List lines",
    ],
)
def test_a_question_about_charts_asks_for_none(question: str) -> None:
    assert asked_chart(question) is None
