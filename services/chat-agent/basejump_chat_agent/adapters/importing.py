"""Providers' libraries are imported in threads, since that takes seconds, and one at a time: some look at modules that
another thread has only half imported."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_one_at_a_time = threading.Lock()


def alone(load: Callable[[], T]) -> T:
    """What `load` gives, which imports, while nobody else does."""
    with _one_at_a_time:
        return load()
