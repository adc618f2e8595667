"""Locks the requirements: one set per image, one for development, all with hashes and none with an index URL.

Run by `make lock`; `lock.py SERVICE EXTRA…` locks one service again with other extras. Our own packages are left out
of the sets: images and `.venv` install them from the tree.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).parent / "uv"
LIBRARIES = ("common", "sqlguard", "planner", "cli", "devstack")
SERVICES = ("gateway", "auth", "account", "connection-indexer", "chat-agent")
EXTRAS = {"chat-agent": ("openai", "anthropic")}
"""What an image carries beyond its service's own needs, unless `lock.py SERVICE EXTRA…` says otherwise."""
OWN = [f"--no-emit-package=basejump-{name}" for name in (*LIBRARIES, *SERVICES)]


def lock(name: str, *sources: str) -> None:
    """Write requirements/<name>.txt from the given project files (paths or uv arguments)."""
    command = [str(UV), "pip", "compile", "--quiet", "--generate-hashes", "--no-emit-index-url", "--universal"]
    command += ["--python-version=3.11", "--no-header", "--no-annotate", *OWN, f"--output-file=requirements/{name}.txt"]
    subprocess.run([*command, *sources], cwd=ROOT, check=True)  # noqa: S603 (our own arguments)


def lock_service(service: str, extras: Sequence[str]) -> None:
    """Write the set of one image."""
    lock(service, f"services/{service}/pyproject.toml", *(f"--extra={extra}" for extra in extras))


def main() -> None:
    if len(sys.argv) > 1:
        lock_service(sys.argv[1], sys.argv[2:])
    else:
        lock_all()


def lock_all() -> None:
    lock("uv", "requirements/uv.in")
    lock("build", "requirements/build.in")
    for service in SERVICES:
        lock_service(service, EXTRAS.get(service, ()))
    lock("cli", "libs/cli/pyproject.toml")
    projects = [f"libs/{name}/pyproject.toml" for name in LIBRARIES]
    services = [f"services/{name}/pyproject.toml" for name in SERVICES]
    extras = [f"--extra={extra}" for found in EXTRAS.values() for extra in found]
    lock("dev", *projects, *services, *extras, "--group=dev")


if __name__ == "__main__":
    main()
