"""Between the index, the SQL guard and the contract: the same things in three vocabularies."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

import basejump_sqlguard as guard
from basejump_common.contracts.connection import MissingValue, Proof, ProofPart, Refusal
from basejump_connection_indexer.domain.definition import ColumnDefinition, IndexedTable

Prover: TypeAlias = Callable[[str, str, guard.Catalog, guard.Policy], guard.Proof | guard.Refusal]
"""sqlguard's `prove`."""


def guard_catalog(tables: Sequence[IndexedTable]) -> guard.Catalog:
    """What may be queried; ignored tables and columns are known, so that a refusal can say so."""
    columns = _Columns()
    return guard.Catalog([_table(table, columns) for table in tables])


def in_schemas(sql: str, dialect: str, schemas: Mapping[str, str]) -> str:
    """The statement with other names of schemas, where `schemas` has them."""
    if not schemas:
        return sql
    try:
        return guard.rename_schema(sql, dialect, schemas)
    except Exception:  # noqa: BLE001 - what can't be renamed is proved as it is written: that refuses it, and says why
        return sql


def as_in_the_index(refusal: guard.Refusal, schemas: Mapping[str, str]) -> guard.Refusal:
    """The refusal of a statement that was renamed by `schemas`, in the names that it had before."""
    if not schemas:
        return refusal
    logical = {physical: name for name, physical in schemas.items()}
    physical = re.compile(rf"\b({'|'.join(map(re.escape, logical))})(?=\.)")

    def renamed(text: str) -> str:
        return physical.sub(lambda match: logical[match[1]], text)

    return msgspec.structs.replace(
        refusal,
        reason=renamed(refusal.reason),
        where=None if refusal.where is None else renamed(refusal.where),
        suggestions=tuple(map(renamed, refusal.suggestions)),
    )


def contract_proof(proof: guard.Proof, missing: tuple[MissingValue, ...] = ()) -> Proof:
    """The proof as it goes with the answer, and the text values that it didn't find."""
    return Proof(
        tables=tuple(_part(f"{part.schema}.{part.name}", part) for part in proof.tables),
        columns=tuple(_part(f"{part.schema}.{part.table}.{part.column}", part) for part in proof.columns),
        joins=tuple(_part(part.on or f"{part.left}, {part.right}", part) for part in proof.joins),
        filters=tuple(_part(part.sql, part) for part in proof.filters),
        functions=tuple(_part(part.name, part) for part in proof.functions),
        sql=proof.sql,
        fingerprint=proof.fingerprint,
        row_limit=proof.limit,
        fully_proved=proof.fully_proved,
        missing_values=missing,
    )


def contract_refusal(refusal: guard.Refusal) -> Refusal:
    """Why there is no proof."""
    return Refusal(
        code=refusal.code, reason=refusal.reason, where=refusal.where, suggestions=tuple(refusal.suggestions)
    )


def _part(
    name: str,
    part: guard.TableProof | guard.ColumnProof | guard.JoinProof | guard.FilterProof | guard.FunctionProof,
) -> ProofPart:
    return ProofPart(name=name, proved=part.proved, why=part.why)


class _Columns(dict[tuple[ColumnDefinition, bool], guard.CatalogColumn]):
    """The guard's columns by the index's, and whether they are ignored: equal ones are one object."""

    def __missing__(self, key: tuple[ColumnDefinition, bool]) -> guard.CatalogColumn:
        column, ignored = key
        self[key] = made = guard.CatalogColumn(name=column.name, type=column.type, ignored=ignored)
        return made


def _table(table: IndexedTable, columns: _Columns) -> guard.CatalogTable:
    return guard.CatalogTable(
        schema=table.definition.schema,
        name=table.definition.name,
        ignored=table.notes.ignore,
        primary_key=table.primary_key,
        foreign_keys=tuple(
            guard.CatalogKey(
                columns=key.columns,
                references_schema=key.schema,
                references_table=key.table,
                references_columns=key.references,
                written=key not in table.definition.foreign_keys,
            )
            for key in table.foreign_keys
        ),
        columns=tuple(columns[column, table.notes.of_column(column.name).ignore] for column in table.columns),
    )
