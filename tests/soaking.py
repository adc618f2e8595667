"""Long tests have two forms: a short one in every run, the full one in `make soak`, which sets BASEJUMP_SOAK.

@pytest.mark.soak
@settings(max_examples=times(400, soak=40_000), deadline=None)

@pytest.mark.soak
@pytest.mark.parametrize("attempt", range(times(2, soak=40)))
"""

import os

VARIABLE = "BASEJUMP_SOAK"


def times(short: int, *, soak: int) -> int:
    """How often this time: `short` in every run, `soak` in `make soak`."""
    return soak if os.environ.get(VARIABLE) else short
