"""What language models are told: the texts of this folder, and the version that their content has."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def text(name: str) -> str:
    """The text of `<name>.md`."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


@cache
def sections(name: str) -> dict[str, str]:
    """The sections of `<name>.md` by their headings."""
    parts = (part.partition("\n") for part in f"\n{text(name)}".split("\n# ")[1:])
    return {heading.strip(): body.strip() for heading, _, body in parts}


@cache
def version() -> str:
    """Changes with every change of a text; kept with each answer."""
    files = sorted(FOLDER.glob("*.md"))
    digest = hashlib.sha256(b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in files))
    return digest.hexdigest()[:12]
