"""The floor below the proof: a login that can do more than SELECT turns a hole in the proof into a write."""

from collections.abc import Sequence

from basejump_common.errors import InvalidInput


def check_risks(risks: Sequence[str], *, accepted: bool) -> None:
    """Raises InvalidInput listing what the login may do beyond SELECT, unless that is accepted."""
    if risks and not accepted:
        listed = "; ".join(risks)
        raise InvalidInput.field(
            "username", f"the login can do more than SELECT: it {listed}. Take that away, or send accept_risky_role"
        )
