"""`prove`: the passes in order. Each reads what the ones before it settled; none parses again."""

from __future__ import annotations

from basejump_sqlguard.bounds import bound_rows
from basejump_sqlguard.canonical import fingerprint_of
from basejump_sqlguard.catalog import Catalog
from basejump_sqlguard.complete import check_complete
from basejump_sqlguard.filters import prove_filters
from basejump_sqlguard.joins import prove_joins
from basejump_sqlguard.misreadings import check_readings
from basejump_sqlguard.parse import parse
from basejump_sqlguard.proof import ColumnProof, Policy, Proof, Refusal, Refused, TableProof
from basejump_sqlguard.regenerate import regenerate
from basejump_sqlguard.relations import Resolver
from basejump_sqlguard.shapes import check_shape
from basejump_sqlguard.sources import Findings

_DEFAULT_POLICY = Policy()


def prove(sql: str, dialect: str, catalog: Catalog | None, policy: Policy = _DEFAULT_POLICY) -> Proof | Refusal:
    """Proves that `sql` is one query over permitted tables and columns, bounded in rows.

    Without a catalog only what needs none is proved (one query, nothing else, functions). Never raises.
    """
    try:
        return _prove(sql, dialect, catalog, policy)
    except Refused as refused:
        return refused.refusal
    except RecursionError:
        return Refusal(code="too_complex", reason="The statement is nested too deeply to be proved.")
    except Exception as error:  # noqa: BLE001 - a gap in the parser or in a proof must refuse, never run
        reason = f"The statement can't be proved ({type(error).__name__})."
        return Refusal(code="unprovable", reason=reason)


def _prove(sql: str, dialect: str, catalog: Catalog | None, policy: Policy) -> Proof:
    parsed = parse(sql, dialect)
    functions = check_shape(parsed, policy)
    resolver = Resolver(parsed.rules, catalog)
    resolver.query(parsed.tree, None, {})
    findings = resolver.findings
    check_complete(parsed.tree, findings)
    check_readings(parsed, findings)
    joins = prove_joins(findings, parsed.rules)
    filters, literals = prove_filters(findings, parsed.rules)
    tree, limit = bound_rows(parsed.tree, policy.row_limit, dialect)
    fingerprint = fingerprint_of(tree)  # before the tree is written, which uses it up
    return Proof(
        dialect=dialect,
        sql=regenerate(tree, parsed.rules, policy),
        fingerprint=fingerprint,
        limit=limit,
        tables=_tables(findings),
        columns=_columns(findings),
        joins=joins,
        filters=filters,
        functions=functions,
        literals=literals,
    )


def _tables(findings: Findings) -> tuple[TableProof, ...]:
    return tuple(
        TableProof(
            schema=schema,
            name=name,
            alias=alias,
            proved=known,
            why="In the catalog and permitted." if known else "No catalog was given.",
        )
        for (schema, name, alias), known in findings.tables.items()
    )


def _columns(findings: Findings) -> tuple[ColumnProof, ...]:
    why = "A permitted column of its table."
    return tuple(
        ColumnProof(schema=schema, table=table, column=column, type=kind, proved=True, why=why)
        for (schema, table, column), kind in findings.columns.items()
    )
