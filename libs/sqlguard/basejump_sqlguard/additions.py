"""Functions that an admin added, where they are called by their schema: `hr.grade(x)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Policy
from basejump_sqlguard.trees import nodes


def qualify(tree: exp.Expr, rules: Rules, policy: Policy) -> None:
    """Gives calls without a schema the one that was meant, where only one schema has such an addition."""
    for node in nodes(tree):
        if not isinstance(node, exp.Anonymous) or isinstance(node.parent, (exp.Dot, exp.Table)):
            continue
        meant = _schemas_of(str(node.name).lower(), policy)
        if len(meant) == 1 and not rules.functions.knows(node.name.lower()):
            node.replace(exp.Dot(this=rules.identifier(meant[0]), expression=node.copy()))


def name_of(dot: exp.Expr, rules: Rules, policy: Policy) -> str | None:
    """The addition that `schema.name(…)` calls, if it is one."""
    schema, function = dot.this, dot.args["expression"]
    if not isinstance(schema, exp.Identifier) or not isinstance(function, exp.Func):
        return None
    word = function.this if isinstance(function, exp.Anonymous) else function.sql_name()
    name = str(word.this if isinstance(word, exp.Identifier) else word).lower()
    spelled = (f"{owner}.{name}" for owner in _read(schema, rules))
    return next((one for one in spelled if one in policy.extra_functions), None)


def called(found: Iterable[exp.Expr], rules: Rules, policy: Policy) -> set[str]:
    """Every addition that is called by its schema."""
    names = (name_of(node, rules, policy) for node in found if isinstance(node, exp.Dot))
    return {name for name in names if name is not None}


def _read(schema: exp.Identifier, rules: Rules) -> Sequence[str]:
    """The spellings under which the schema may have been added; a name that folds may have been in lower case."""
    key = rules.key(schema)
    return (key,) if schema.args.get("quoted") or rules.fold == "none" else (key, key.lower())


def _schemas_of(name: str, policy: Policy) -> list[str]:
    parts = (added.rpartition(".") for added in policy.extra_functions)
    return [schema for schema, dot, last in parts if dot and last == name]
