"""Locks the requirements: one set per image, one for development, all with hashes and none with an index URL.

Run by `make lock`. Our own packages are left out of the sets: images and `.venv` install them from the tree.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).parent / "uv"
LIBRARIES = ("common", "sqlguard", "planner", "cli", "devstack")
SERVICES = ("gateway", "auth", "account", "connection-indexer", "chat-agent")
OWN = [f"--no-emit-package=basejump-{name}" for name in (*LIBRARIES, *SERVICES)]


def lock(name: str, *sources: str) -> None:
    """Write requirements/<name>.txt from the given project files (paths or uv arguments)."""
    command = [str(UV), "pip", "compile", "--quiet", "--generate-hashes", "--no-emit-index-url", "--universal"]
    command += ["--python-version=3.11", "--no-header", "--no-annotate", *OWN, f"--output-file=requirements/{name}.txt"]
    subprocess.run([*command, *sources], cwd=ROOT, check=True)  # noqa: S603 (our own arguments)


def main() -> None:
    lock("uv", "requirements/uv.in")
    lock("build", "requirements/build.in")
    for service in SERVICES:
        lock(service, f"services/{service}/pyproject.toml")
    lock("cli", "libs/cli/pyproject.toml")
    projects = [f"libs/{name}/pyproject.toml" for name in LIBRARIES]
    lock("dev", *projects, *[f"services/{name}/pyproject.toml" for name in SERVICES], "--group=dev")


if __name__ == "__main__":
    main()
