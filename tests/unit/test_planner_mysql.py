"""The same questions over a database whose types and names are MySQL's."""

import pytest

from basejump_planner import Plan, plan
from basejump_sqlguard import Catalog, CatalogColumn, CatalogTable, Policy, Proof, prove
from unit.planner_slices import table

SHOP = (
    table(
        "shop",
        "Customer",
        [
            ("CustomerId", "int(11)"),
            ("CompanyName", "varchar(40)"),
            ("Country", "varchar(40)"),
            ("Active", "tinyint(1)"),
            ("Kind", "enum('firm','person')"),
        ],
    ),
    table(
        "shop",
        "Invoice",
        [
            ("InvoiceId", "bigint(20) unsigned"),
            ("CustomerId", "int(11)"),
            ("Rank", "int(11)"),
            ("Total", "double"),
            ("Billed", "datetime"),
        ],
        {"CustomerId": ("Customer", "CustomerId")},
    ),
)
CATALOG = Catalog(
    [
        CatalogTable(
            schema="shop",
            name=one.name,
            columns=tuple(CatalogColumn(name=column.name, type=column.type) for column in one.columns),
        )
        for one in SHOP
    ]
)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("What is the average total of the invoices by country?", "avg(Invoice.Total)"),
        ("How many active customers are there?", "Customer.Active = 1"),
        ("How many invoices were there in 2024?", "Invoice.Billed >= CAST('2024-01-01' AS DATE)"),
        ("What is the highest rank of an invoice?", "max(Invoice.`Rank`)"),
    ],
)
def test_a_plan_is_proved_in_mysqls_dialect(question: str, says: str) -> None:
    answer = plan(question, SHOP, dialect="mysql")
    assert isinstance(answer, Plan), answer
    proof = prove(answer.sql, "mysql", CATALOG, Policy(row_limit=10))
    assert isinstance(proof, Proof), proof
    assert says.lower() in proof.sql.lower()
