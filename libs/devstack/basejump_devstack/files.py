"""Files that only their owner may read."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replace a file as a whole by one that only its owner may read."""
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
