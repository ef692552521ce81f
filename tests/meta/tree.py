"""The files of this repository, as the tests of the repository itself see them."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ("agent/sickbay/v1/", "docs/reasons.md", "docs/signals.md", "requirements/")
GENERATED_TABLES = re.compile(r"agent/sickbay/core/\w+_table\.py")


@cache
def files() -> tuple[str, ...]:
    """Every file that is tracked, or would be by the next `git add`: relative, sorted."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(name for name in out.split("\0") if name and (ROOT / name).is_file()))


def ending(*suffixes: str) -> list[str]:
    """The files with one of these endings."""
    return [name for name in files() if name.endswith(suffixes)]


def text(name: str) -> str:
    """A file's text; what is not UTF-8 shows as a replacement character."""
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


@cache
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads(text("pyproject.toml"))


def is_generated(name: str) -> bool:
    """Whether a tool of ours writes the file."""
    return name.startswith(GENERATED) or GENERATED_TABLES.fullmatch(name) is not None
