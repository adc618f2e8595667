"""Major versions of the API: each a table of routes, the two newest served; what an answer of the older one says.

Version 2 is one more table in `VERSIONS`; from then on calls to version 1 are answered with `Deprecation` (RFC 9745),
`Sunset` (RFC 8594) and `Link`s to their successor and to what is written about it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime

import msgspec

from basejump_gateway.routes import PREFIX, ROUTES, Route

Headers = list[tuple[bytes, bytes]]

AT_MOST = 2


@dataclass(frozen=True, slots=True)
class Version:
    """The routes below `prefix`, e.g. /api/v1."""

    prefix: str
    routes: tuple[Route, ...]

    @property
    def name(self) -> str:
        """As the path spells it, e.g. v1."""
        return self.prefix.rpartition("/")[2]


VERSIONS = (Version(PREFIX, ROUTES),)
"""Oldest first."""


class Retirement(msgspec.Struct, frozen=True, kw_only=True):
    """When the older version was deprecated, when it may end, and where that is explained. Raises ValueError for an
    end before its announcement."""

    deprecated_on: date | None = None
    sunset_on: date | None = None
    documentation: str = ""

    def __post_init__(self) -> None:
        if self.deprecated_on and self.sunset_on and self.sunset_on < self.deprecated_on:
            raise ValueError("a version can't end before it is deprecated")

    def told(self) -> Headers:
        """The headers that are the same for every call."""
        told: Headers = []
        if self.deprecated_on:
            told.append((b"deprecation", f"@{int(_midnight(self.deprecated_on).timestamp())}".encode()))
        if self.sunset_on:
            told.append((b"sunset", format_datetime(_midnight(self.sunset_on), usegmt=True).encode()))
        if self.documentation:
            told.append((b"link", f'<{self.documentation}>; rel="deprecation"; type="text/html"'.encode()))
        return told


class Served:
    """The versions of one gateway."""

    def __init__(self, versions: Sequence[Version], retirement: Retirement) -> None:
        if not 1 <= len(versions) <= AT_MOST:
            raise ValueError(f"at least one and at most {AT_MOST} versions are served")
        self.versions = tuple(versions)
        self._retirement = retirement

    def retired(self, version: Version) -> bool:
        """Whether a newer one is there."""
        return version is not self.versions[-1]

    def farewell(self, version: Version, route: Route) -> Callable[[str], Headers]:
        """What the answers of a route say beside the rest, given the path that was called."""
        if not self.retired(version):
            return lambda _path: []
        newest, told = self.versions[-1], self._retirement.told()
        followed = any((r.method, r.path) == (route.method, route.path) for r in newest.routes)

        def headers(path: str) -> Headers:
            called = path.removeprefix(version.prefix) if followed else ""
            return [*told, (b"link", f'<{newest.prefix}{called.rstrip("/")}/>; rel="successor-version"'.encode())]

        return headers


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
