"""How many calls were made: counters that all gateways share, each for one minute."""


def counter_subject(name: str, window: int | str) -> str:
    """The counter of what `name` (a hash: no client is named) spends in one window."""
    return f"basejump.v1.calls.{name}.{window}"
