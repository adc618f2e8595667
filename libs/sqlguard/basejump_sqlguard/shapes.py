"""Is it a query and nothing else? One walk over the tree against the allow-list of nodes, functions and casts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from sqlglot import exp

from basejump_sqlguard import additions
from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.nodes import ALLOWED_NODES, CLAUSES_OF, FORBIDDEN_ARGUMENTS, NODE_CODES
from basejump_sqlguard.parse import QUERIES, Parsed
from basejump_sqlguard.proof import FunctionProof, Policy, Refused
from basejump_sqlguard.trees import nodes
from basejump_sqlguard.words import BEFORE_PARENTHESES, RESERVED_OF

_ADDED = "Allowed by an admin for this database."
_WORDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ")
_UNKNOWN_TYPES = {exp.DType.USERDEFINED, exp.DType.UNKNOWN}

Arguments = tuple[tuple[str, str, str], ...]
Check = Callable[[exp.Expr, Rules, Policy], None]


def check_shape(parsed: Parsed, policy: Policy) -> tuple[FunctionProof, ...]:
    """Refuses what isn't purely a query; otherwise the functions it calls."""
    if policy.extra_functions:
        additions.qualify(parsed.tree, parsed.rules, policy)
    found = nodes(parsed.tree)
    for node in found:
        allowed, arguments, check = _DEMANDS[type(node)]
        if not allowed:
            _refuse_node(node, parsed.rules)
        if arguments:
            _check_arguments(node, arguments, parsed.rules)
        if check is not None:
            check(node, parsed.rules, policy)
    names = check_calls(parsed.calls, aliases_with_columns(found), parsed.rules, policy)
    pure = [name for name in names if parsed.rules.functions.knows(name)]
    added = {*additions.called(found, parsed.rules, policy), *policy.extra_functions.intersection(names)}
    why = f"On the list of pure functions for {parsed.rules.name}."
    return (
        *(FunctionProof(name=name, proved=True, why=why) for name in pure),
        *(FunctionProof(name=name, proved=True, why=_ADDED) for name in sorted(added)),
    )


def check_calls(calls: Counter[tuple[str, bool]], aliases: Counter[str], rules: Rules, policy: Policy) -> list[str]:
    """Refuses any word before a parenthesis that isn't syntax, an alias or a listed function."""
    names: set[str] = set()
    # `schema.name` is told from `name` in the tree; the words only show the last part.
    added = {name.rpartition(".")[2] for name in policy.extra_functions}
    for (word, quoted), count in calls.items():
        lower = word.lower()
        if not quoted and word.upper() in BEFORE_PARENTHESES and not rules.functions.knows(lower):
            continue
        listed = rules.functions.knows(lower) or lower in added
        if listed and not (quoted and word != lower):
            names.add(lower)
        elif count > aliases[lower]:
            refuse_function(word, rules)
    return sorted(names)


def aliases_with_columns(found: Iterable[exp.Expr]) -> Counter[str]:
    """How often each name introduces a list of columns: `AS t(a, b)`, `WITH t(a, b) AS …`."""
    aliases = [node for node in found if isinstance(node, exp.TableAlias) and node.args.get("columns")]
    return Counter(str(alias.this.this).lower() for alias in aliases if isinstance(alias.this, exp.Identifier))


def refuse_function(name: str, rules: Rules) -> None:
    near = get_close_matches(name.lower(), rules.functions.names, n=3, cutoff=0.75)
    reason = f"The function {name} isn't on the list of functions that {rules.name} queries may call."
    raise Refused("forbidden_function", reason, where=name, suggestions=tuple(near))


def _is_listed(name: str, policy: Policy, rules: Rules) -> bool:
    return name in rules.functions.names or name in rules.functions.tables or name in policy.extra_functions


def _refuse_node(node: exp.Expr, rules: Rules) -> None:
    name = type(node).__name__
    where = _excerpt(node, rules)
    if name in NODE_CODES:
        code, reason = NODE_CODES[name]
        raise Refused(code, f"{reason[0].upper()}{reason[1:]}.", where=where)
    if isinstance(node, exp.Func):
        raise Refused("forbidden_function", f"The function {node.sql_name()} isn't allowed.", where=where)
    raise Refused("unsupported_syntax", f"{name} isn't among the constructs that can be proved.", where=where)


def _excerpt(node: exp.Expr, rules: Rules) -> str | None:
    try:
        return node.sql(rules.dialect, comments=False)[:120]
    except (ValueError, AttributeError, TypeError, RecursionError):  # a node that sqlglot can't print alone
        return None


def _check_arguments(node: exp.Expr, arguments: Arguments, rules: Rules) -> None:
    for argument, code, reason in arguments:
        if node.args.get(argument):
            raise Refused(code, f"{reason[0].upper()}{reason[1:]}.", where=_excerpt(node, rules))


def _check_cast(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    kind = node.args.get("kind")
    if node.this == exp.DType.CHARACTER_SET and isinstance(kind, exp.Var):
        return
    if isinstance(kind, exp.Identifier) and str(kind.this).lower() in rules.functions.types:
        return
    if node.this in _UNKNOWN_TYPES or kind:
        raise Refused("forbidden_cast", "Only the database's own types can be cast to.", where=_excerpt(node, rules))


def _check_anonymous(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    name = node.this
    quoted = isinstance(name, exp.Identifier)
    text = str(name.this) if isinstance(name, exp.Identifier) else str(name)
    lower = text.lower()
    dot = node.parent
    if isinstance(dot, exp.Dot) and (
        _qualified_name(dot) in rules.functions.names or additions.name_of(dot, rules, policy) is not None
    ):
        return
    if not _is_listed(lower, policy, rules) or (quoted and text != lower):
        refuse_function(text, rules)


def _qualified_name(dot: exp.Expr) -> str:
    left, right = dot.this, dot.args["expression"]
    owner = str(left.this) if isinstance(left, exp.Identifier) else "?"
    name = right.this if isinstance(right, exp.Anonymous) else getattr(right, "sql_name", str)()
    return f"{owner}.{name}".lower()


def _check_dot(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    if isinstance(node.args["expression"], exp.Func):
        built_in = isinstance(node.this, exp.Identifier) and str(node.this.this).lower() == "pg_catalog"
        listed = (built_in and rules.fold == "lower") or _qualified_name(node) in rules.functions.names
        if not listed and additions.name_of(node, rules, policy) is None:
            raise Refused(
                "forbidden_function",
                "Functions of a schema or of a value aren't allowed.",
                where=_excerpt(node, rules),
            )
    elif not rules.structs:
        raise Refused("unsupported_syntax", "Fields of a row value can't be proved.", _excerpt(node, rules))


def _check_word(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if not _WORDS.issuperset(str(node.this)):
        raise Refused("unsupported_syntax", "A keyword was expected.", where=_excerpt(node, rules))


def _check_cte(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if not isinstance(node.this, (*QUERIES, exp.Table, exp.Pivot)):
        name = type(node.this).__name__
        if name in NODE_CODES:
            _refuse_node(node.this, rules)
        raise Refused("not_a_query", "WITH may only hold queries.", where=_excerpt(node, rules))


def _check_partition(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if not all(isinstance(item, exp.Column) and len(item.parts) == 1 for item in node.expressions):
        raise Refused("unsupported_syntax", "Partitions can only be named.", where=_excerpt(node, rules))


def _check_introducer(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if not isinstance(node.expression, (exp.Literal, exp.HexString, exp.BitString)):
        raise Refused("unsupported_syntax", "A character set can only introduce a text.", where=_excerpt(node, rules))


def _check_for(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if node.args.get("kind") not in ("JSON", "XML"):
        raise Refused("unsupported_syntax", "Only FOR JSON and FOR XML are supported.", where=_excerpt(node, rules))


def _check_alias(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if not isinstance(node.parent, (exp.Select, exp.Func, exp.Pivot, exp.Star)):
        raise Refused("syntax", "That value can't have a name.", where=_excerpt(node, rules))


def _check_exists(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if not isinstance(node.this, exp.Query):
        raise Refused("not_a_query", "EXISTS needs a query.", where=_excerpt(node, rules))


def _check_number(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if not node.args.get("is_string") and not all(c.isalnum() or c in "._+-" for c in str(node.this)):
        raise Refused("syntax", "That isn't a number.", where=_excerpt(node, rules))


def _check_select(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if node.args.get("qualify") is not None:
        _check_clause("QUALIFY", node, rules)
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        _check_clause("DISTINCT ON", node, rules)


def _check_join(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    for word in (node.args.get("side"), node.args.get("kind")):
        if word:
            _check_clause(f"{word} JOIN", node, rules)


def _check_in(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if node.args.get("field") is not None:
        _check_clause("IN without parentheses", node, rules)


def _check_struct(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    if rules.name not in ("bigquery", "redshift"):  # which write it as a call
        _check_clause("{…}", node, rules)


def _check_clause(clause: str, node: exp.Expr, rules: Rules) -> None:
    if rules.name not in CLAUSES_OF.get(clause, (rules.name,)):
        raise Refused("unsupported_syntax", f"{rules.name} has no {clause}.", where=_excerpt(node, rules))


def _check_identifier(node: exp.Expr, rules: Rules, policy: Policy) -> None:
    del policy
    name = str(node.this)
    if not name:
        raise Refused("syntax", "A name is empty.")
    if node.args.get("quoted"):
        return
    if name.startswith("$") and rules.name == "sqlite":
        raise Refused("parameter", "Parameters have no value here.", where=name)
    if name.upper() in RESERVED_OF.get(rules.name, ()):
        raise Refused("syntax", f"{name} has a meaning of its own; as a name it has to be quoted.", where=name)
    # sqlglot's one word for two that belong together; spaces and marks that nobody sees.
    if " " in name or not name.isprintable():
        raise Refused("syntax", f"{name!a} can't be a name without quotes.", where=name)


_CHECKS: dict[str, Check] = {
    "DataType": _check_cast,
    "Anonymous": _check_anonymous,
    "AnonymousAggFunc": _check_anonymous,
    "CombinedAggFunc": _check_anonymous,
    "ParameterizedAgg": _check_anonymous,
    "CombinedParameterizedAgg": _check_anonymous,
    "Dot": _check_dot,
    "Var": _check_word,
    "CTE": _check_cte,
    "Literal": _check_number,
    "Partition": _check_partition,
    "Introducer": _check_introducer,
    "ForClause": _check_for,
    "Exists": _check_exists,
    "Alias": _check_alias,
    "Identifier": _check_identifier,
    "Select": _check_select,
    "Join": _check_join,
    "In": _check_in,
    "Struct": _check_struct,
}


class _Demands(dict[type[exp.Expr], tuple[bool, Arguments, Check | None]]):
    """By class of node, looked up once: whether it is allowed, arguments it may not have, what else is checked."""

    def __missing__(self, kind: type[exp.Expr]) -> tuple[bool, Arguments, Check | None]:
        name = kind.__name__
        self[kind] = demands = (name in ALLOWED_NODES, FORBIDDEN_ARGUMENTS.get(name, ()), _CHECKS.get(name))
        return demands


_DEMANDS = _Demands()
