"""A local folder of results serves one replica: another one's downloads would miss what this one has written."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

from basejump_common.settings import SettingsError

_NAME = ".in-use"


@contextmanager
def used_alone(results_url: str) -> Iterator[None]:
    """Hold the folder, when it is one, for as long as the block lasts; the kernel lets go of it when we die.

    Raises SettingsError while another process holds it.
    """
    parsed = urlparse(results_url)
    if parsed.scheme != "file":
        yield
        return
    folder = Path(unquote(parsed.path))
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(held, folder)
        yield
    finally:
        os.close(held)


def _lock(held: int, folder: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SettingsError(
            f"BASEJUMP_RESULTS_URL: another replica keeps its results in {folder}. A folder serves one replica; "
            "for more give them an object store (s3://, gs:// or az://)"
        ) from error
