"""What may a login do beyond SELECT? As SHOW GRANTS has it, with every role that the login could switch to."""

import re
from collections.abc import Iterable, Iterator

from basejump_connection_indexer.domain.session import Fetch

_MOST_NAMED = 5
_READS_ONLY = frozenset(("USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "SHOW CREATE ROUTINE"))

_QUOTED = r"`(?:[^`]|``)*`"
_ON = rf"(?:[A-Z ]+ )?(?:\*|{_QUOTED})(?:\.(?:\*|{_QUOTED}))?"
_GRANT = re.compile(rf"GRANT (?P<what>(?:{_QUOTED}|[^`])+?) ON (?P<on>{_ON}) TO (?P<rest>.*)", re.DOTALL)
_ACCOUNT = rf"{_QUOTED}(?:@{_QUOTED})?"
_ROLES = re.compile(rf"GRANT (?P<roles>{_ACCOUNT}(?:, ?{_ACCOUNT})*) TO {_QUOTED}(?P<host>@{_QUOTED})?")
_COLUMNS = re.compile(rf"\s*\((?:{_QUOTED}|[^`()])*\)")
_TEXT = re.compile(rf"{_QUOTED}|'(?:[^'\\]|\\.|'')*'", re.DOTALL)


async def risks(fetch: Fetch) -> tuple[str, ...]:
    """In words that follow "it". Afterwards the session may have another role than before."""
    found = risks_in(await _grants(fetch))
    more = ("may do more",) if len(found) > _MOST_NAMED else ()
    return found[:_MOST_NAMED] + more


def risks_in(lines: Iterable[str]) -> tuple[str, ...]:
    """What lines of SHOW GRANTS give beyond reading, each once."""
    return tuple(dict.fromkeys(risk for line in lines for risk in _risks(line)))


async def _grants(fetch: Fetch) -> list[str]:
    """A line for each grant of the login, of its roles, and of theirs."""
    lines = await _shown(fetch, "show grants")
    roles = [role for line in lines for role in _own_roles(line)]
    # MySQL's roles have a host.
    if named := [role for role in roles if "`@`" in role]:
        lines += await _shown(fetch, f"show grants for current_user() using {', '.join(named)}")
    for role in roles:
        if role not in named:
            await fetch((f"set role {role}", ()))
            lines += await _shown(fetch, "show grants")
    return lines


def _own_roles(line: str) -> list[str]:
    """Those granted to the login, which has a host, and not to another role."""
    match = _ROLES.match(line)
    return re.findall(_ACCOUNT, match["roles"]) if match and match["host"] else []


async def _shown(fetch: Fetch, statement: str) -> list[str]:
    return [row[0] for row in await fetch((statement, ()))]


def _risks(line: str) -> Iterator[str]:
    # Also `SET DEFAULT ROLE`, and MySQL's `REVOKE` of a part. A password's hash may follow TO: it is never shown.
    if not line.startswith("GRANT ") or _ROLES.match(line):
        return
    grant = _GRANT.match(line)
    if grant is None:
        yield "has a grant that isn't about tables"
        return
    on = grant["on"].replace("`", "")
    privileges = [word.strip() for word in _COLUMNS.sub("", grant["what"]).split(",")]
    if beyond := [word for word in privileges if word not in _READS_ONLY]:
        yield f"has {', '.join(beyond)} on {on}"
    if "WITH GRANT OPTION" in _TEXT.sub("", grant["rest"]):
        yield f"may grant to others what it has on {on}"
