"""tsql."""

from __future__ import annotations

NAMES = ""
TABLES: dict[str, tuple[str, ...] | None] = {}
