"""Types that the structs of several services share, each with its bound."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=200)]
"""A label: a username, a team's name, a client's name."""

Text = Annotated[str, Meta(max_length=20_000)]
"""A description."""

Limit = Annotated[int, Meta(ge=1, le=200)]
"""Rows of a page."""

Cursor = Annotated[str, Meta(min_length=1, max_length=500)]
"""Opaque: the `next_cursor` of the page before."""


class Choice(StrEnum):
    """Values to choose from, that can say of another one why it is none of them."""

    @classmethod
    def why_not(cls, _value: object, /) -> str:
        """Why the value isn't there although people expect it, without the choices; empty for what nobody expects."""
        return ""


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None


class WidePageRequest(PageRequest, frozen=True, kw_only=True):
    """A page of what is the caller's own; an ADMIN may widen it to the whole client."""

    include_all_client_info: bool = False


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """No fields."""


class ByUser(msgspec.Struct, frozen=True, kw_only=True):
    """Names a user."""

    user_uuid: UUID


class ByClient(msgspec.Struct, frozen=True, kw_only=True):
    """Names a client."""

    client_uuid: UUID


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """It was done."""

    ok: bool = True
