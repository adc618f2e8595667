"""Parse, prove, bound and compare SQL. Pure: no I/O; what can't be proved is refused."""

from basejump_sqlguard.catalog import Catalog, CatalogColumn, CatalogKey, CatalogTable
from basejump_sqlguard.dialects import DIALECTS
from basejump_sqlguard.proof import (
    ColumnProof,
    FilterProof,
    FunctionProof,
    JoinProof,
    Policy,
    Proof,
    Refusal,
    TableProof,
    TextLiteral,
)
from basejump_sqlguard.proving import prove

__all__ = [
    "DIALECTS",
    "Catalog",
    "CatalogColumn",
    "CatalogKey",
    "CatalogTable",
    "ColumnProof",
    "FilterProof",
    "FunctionProof",
    "JoinProof",
    "Policy",
    "Proof",
    "Refusal",
    "TableProof",
    "TextLiteral",
    "prove",
]
