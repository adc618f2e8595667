"""A small catalog for the tests of the proof, and short ways to ask for one."""

from __future__ import annotations

from basejump_sqlguard import Catalog, CatalogColumn, CatalogKey, CatalogTable, Policy, Proof, Refusal, prove


def table(
    name: str,
    columns: str,
    *,
    schema: str = "hr",
    key: tuple[str, ...] = ("id",),
    references: dict[str, str] | None = None,
    ignored: bool = False,
) -> CatalogTable:
    """`columns` as "id:int4 name secret!" (text without a type, ! for ignored); `references` {column: table}."""
    keys = tuple(
        CatalogKey(columns=(column,), references_schema=schema, references_table=target, references_columns=("id",))
        for column, target in (references or {}).items()
    )
    return CatalogTable(
        schema=schema,
        name=name,
        columns=tuple(_column(item) for item in columns.split()),
        primary_key=key,
        foreign_keys=keys,
        ignored=ignored,
    )


def _column(text: str) -> CatalogColumn:
    name, _, kind = text.rstrip("!").partition(":")
    return CatalogColumn(name=name, type=kind or "text", ignored=text.endswith("!"))


HOUSE = Catalog(
    [
        table("departments", "id:int4 name budget:numeric"),
        table(
            "employees",
            "id:int4 name salary:numeric department_id:int4 manager_id:int4 hired:date password!",
            references={"department_id": "departments", "manager_id": "employees"},
        ),
        table("dependents", "id:int4 employee_id:int4 name", references={"employee_id": "employees"}),
        table("orders", "id:int4 employee_id:int4 total:numeric", references={"employee_id": "employees"}),
        table("Mixed Case", "id:int4 Total:numeric order"),
        table("payroll", "id:int4 amount:numeric", ignored=True),
        table("employees", "id:int4 secret", schema="vault"),
    ],
    default_schemas=["hr"],
)


def proved(sql: str, dialect: str = "postgres", catalog: Catalog | None = HOUSE, policy: Policy | None = None) -> Proof:
    """The proof of `sql`; fails the test when it is refused."""
    result = prove(sql, dialect, catalog, policy or Policy())
    assert isinstance(result, Proof), result
    return result


def refused(sql: str, dialect: str = "postgres", catalog: Catalog | None = HOUSE) -> Refusal:
    """The refusal of `sql`; fails the test when it is proved."""
    result = prove(sql, dialect, catalog)
    assert isinstance(result, Refusal), result.sql
    return result
