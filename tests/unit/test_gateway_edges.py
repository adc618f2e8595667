"""Small readings of headers, and that every setting is documented."""

from typing import Annotated, get_args, get_origin, get_type_hints

import pytest
from msgspec import Meta

from basejump_gateway.prompts import Waits
from basejump_gateway.settings import Settings


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("", 120),
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ("wait = 5; x=1", 5),
        ('wait="5"', 5),
        ("wait=0", 0),
        ("wait=99999", 1200),
        ("wait=99999999999999999999", 120),
        ("wait=-5", 120),
        ("wait=soon", 120),
        ("await=5", 120),
    ],
)
def test_prefer_wait_is_read_within_its_limit(prefer: str, seconds: float) -> None:
    assert Waits(default=120, longest=1200).asked(prefer) == seconds


def test_every_setting_is_documented() -> None:
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        assert get_origin(kind) is Annotated, name
        assert any(isinstance(part, Meta) and part.description for part in get_args(kind)), name
