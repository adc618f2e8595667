"""Schema slices for the planner's tests: one about a company, one about a library with other words and habits."""

from __future__ import annotations

from basejump_planner import Column, ForeignKey, Table, ValueHit, value_phrases

TEXT = "character varying(50)"
Spec = tuple[str, str]


def table(schema: str, name: str, columns: list[Spec], keys: dict[str, tuple[str, str]] | None = None) -> Table:
    """A table whose first column is its primary key; `keys` maps a column to (table, column)."""
    return Table(
        schema=schema,
        name=name,
        columns=tuple(
            Column(name=column, type=type_, primary_key=position == 0)
            for position, (column, type_) in enumerate(columns)
        ),
        foreign_keys=tuple(
            ForeignKey(columns=(column,), references_schema=schema, references_table=to, references_columns=(key,))
            for column, (to, key) in (keys or {}).items()
        ),
    )


COMPANY = (
    table(
        "hr",
        "employees",
        [
            ("employee_id", "integer"),
            ("first_name", TEXT),
            ("last_name", TEXT),
            ("hire_date", "date"),
            ("job_id", "integer"),
            ("salary", "numeric(8,2)"),
            ("manager_id", "integer"),
            ("department_id", "integer"),
        ],
        {
            "job_id": ("jobs", "job_id"),
            "manager_id": ("employees", "employee_id"),
            "department_id": ("departments", "department_id"),
        },
    ),
    table(
        "hr",
        "departments",
        [("department_id", "integer"), ("department_name", TEXT), ("location_id", "integer")],
        {"location_id": ("locations", "location_id")},
    ),
    table(
        "hr",
        "dependents",
        [("dependent_id", "integer"), ("first_name", TEXT), ("last_name", TEXT), ("employee_id", "integer")],
        {"employee_id": ("employees", "employee_id")},
    ),
    table(
        "hr",
        "jobs",
        [("job_id", "integer"), ("job_title", TEXT), ("min_salary", "numeric(8,2)"), ("max_salary", "numeric(8,2)")],
    ),
    table("hr", "locations", [("location_id", "integer"), ("city", TEXT)]),
)
COMPANY_VALUES = {
    "it": ("departments", "department_name", "IT"),
    "shipping": ("departments", "department_name", "Shipping"),
    "seattle": ("locations", "city", "Seattle"),
}

LIBRARY = (
    table(
        "Lending",
        "Book",
        [
            ("bookId", "bigint"),
            ("title", "text"),
            ("publishedYear", "integer"),
            ("price", "double precision"),
            ("authorId", "bigint"),
        ],
        {"authorId": ("Author", "authorId")},
    ),
    table(
        "Lending", "Author", [("authorId", "bigint"), ("name", "text"), ("nationality", "text"), ("birth_date", "date")]
    ),
    table("Lending", "Member", [("memberId", "bigint"), ("name", "text"), ("age", "integer"), ("user", "text")]),
    table(
        "Lending",
        "Loan",
        [("loanId", "bigint"), ("bookId", "bigint"), ("memberId", "bigint"), ("loanedAt", "timestamp with time zone")],
        {"bookId": ("Book", "bookId"), "memberId": ("Member", "memberId")},
    ),
)
LIBRARY_VALUES = {
    "norwegian": ("Author", "nationality", "Norwegian"),
    "hunger": ("Book", "title", "Hunger"),
}


def found(question: str, tables: tuple[Table, ...], values: dict[str, tuple[str, str, str]]) -> list[ValueHit]:
    """What a lookup of the question's phrases in a database with those values would give."""
    schema = tables[0].schema
    return [
        ValueHit(phrase=phrase, schema=schema, table=hit[0], column=hit[1], value=hit[2])
        for phrase in value_phrases(question, tables)
        if (hit := values.get(phrase.lower())) is not None
    ]
