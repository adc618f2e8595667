"""Parse, prove, bound and compare SQL. Pure: no I/O; what can't be proved is refused."""

from basejump_sqlguard.canonical import fingerprint
from basejump_sqlguard.catalog import Catalog, CatalogColumn, CatalogKey, CatalogTable
from basejump_sqlguard.comparing import Comparison, Difference, compare, differs_only_in_filters
from basejump_sqlguard.dialects import DIALECTS
from basejump_sqlguard.proof import (
    ColumnProof,
    FilterProof,
    FunctionProof,
    JoinProof,
    LookUp,
    Policy,
    Proof,
    Refusal,
    Refused,
    TableProof,
    TextLiteral,
)
from basejump_sqlguard.proving import prove
from basejump_sqlguard.schemas import rename_schema

__all__ = [
    "DIALECTS",
    "Catalog",
    "CatalogColumn",
    "CatalogKey",
    "CatalogTable",
    "ColumnProof",
    "Comparison",
    "Difference",
    "FilterProof",
    "FunctionProof",
    "JoinProof",
    "LookUp",
    "Policy",
    "Proof",
    "Refusal",
    "Refused",
    "TableProof",
    "TextLiteral",
    "compare",
    "differs_only_in_filters",
    "fingerprint",
    "prove",
    "rename_schema",
]
