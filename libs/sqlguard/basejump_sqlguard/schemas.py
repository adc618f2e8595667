"""The same query over another schema: for databases with one schema per customer or region."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from basejump_sqlguard.faithful import write
from basejump_sqlguard.parse import parse


def rename_schema(sql: str, dialect: str, names: Mapping[str, str]) -> str:
    """`sql` with each schema of `names` replaced by its new name, wherever a relation, a column or a function names it.

    Raises Refused when `sql` isn't one query."""
    parsed = parse(sql, dialect)
    rules = parsed.rules
    folded = {name if rules.exact else name.lower(): new for name, new in names.items()}
    for node in parsed.tree.find_all(exp.Table, exp.Column, exp.Dot):
        place = "this" if isinstance(node, exp.Dot) and isinstance(node.args["expression"], exp.Func) else "db"
        schema = node.args.get(place)
        if not isinstance(schema, exp.Identifier):
            continue
        written = rules.key(schema)
        new = folded.get(written if rules.exact else written.lower())
        if new is not None:
            node.set(place, rules.identifier(new))
    return write(parsed.tree, rules)
