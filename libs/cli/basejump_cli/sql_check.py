"""`basejump sql check`: proofs of statements from standard input, one JSON line for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from basejump_cli.catalog_file import CatalogFile
from basejump_cli.failure import CommandError
from basejump_sqlguard import DIALECTS, Catalog, Policy, Proof, prove

LONGEST_LINE = 1_000_000
"""Bytes of a line; a longer one is answered, not read."""

S = TypeVar("S", bound=msgspec.Struct)


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A line of input; other fields than `sql` are no business of ours."""

    sql: str


class PolicyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an admin decides: rows at most, and functions beyond the dialect's list."""

    row_limit: int = Policy().row_limit
    functions: tuple[str, ...] = ()

    def policy(self) -> Policy:
        """As the guard takes it."""
        return Policy(row_limit=self.row_limit, extra_functions=frozenset(name.lower() for name in self.functions))


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A line of output. `code` and `detail` say why there is no `proof`; with one, `code` is null."""

    ok: bool
    code: str | None = None
    detail: str = ""
    proof: Proof | None = None


class Checker:
    """Proves one statement after another. Without a catalog only what needs none is proved."""

    def __init__(self, dialect: str, catalog: Catalog | None, policy: Policy) -> None:
        self._dialect = dialect
        self._catalog = catalog
        self._policy = policy

    @classmethod
    def of(cls, dialect: str, catalog: Path | None, policy: Path | None) -> "Checker":
        """From files. Raises CommandError."""
        if dialect not in DIALECTS:
            raise CommandError(f"no such dialect: {dialect}; there are {', '.join(sorted(DIALECTS))}")
        tables = None if catalog is None else _read(catalog, CatalogFile).catalog()
        rules = PolicyFile() if policy is None else _read(policy, PolicyFile)
        return cls(dialect, tables, rules.policy())

    def verdicts(self, source: BinaryIO) -> Iterator[Verdict]:
        """One for each line, in order."""
        while line := source.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                _skip_rest(source, line)
                yield Verdict(ok=False, code="invalid_line", detail=f"a line has at most {LONGEST_LINE:,} bytes")
            else:
                yield self._verdict(line)

    def _verdict(self, line: bytes) -> Verdict:
        try:
            statement = msgspec.json.decode(line, type=Statement)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Verdict(ok=False, code="invalid_line", detail=f"not a JSON object with `sql`: {error}")
        outcome = prove(statement.sql, self._dialect, self._catalog, self._policy)
        if isinstance(outcome, Proof):
            return Verdict(ok=True, proof=outcome)
        meant = f" Did you mean {' or '.join(outcome.suggestions)}?" if outcome.suggestions else ""
        return Verdict(ok=False, code=outcome.code, detail=outcome.reason + meant)


def _read(path: Path, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}") from error


def _skip_rest(source: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = source.readline(LONGEST_LINE)
