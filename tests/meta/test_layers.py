"""The layers of docs/architecture.md, held by the imports themselves."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.meta.tree import ROOT, ending, text

OUTSIDE = {
    *("asyncio", "concurrent", "datetime.now", "google", "grpc", "io", "logging", "multiprocessing", "os"),
    *("pathlib", "psutil", "random", "secrets", "select", "signal", "socket", "sqlalchemy", "sqlite3"),
    *("subprocess", "tempfile", "threading", "time", "uuid", "yaml"),
}
"""What a pure function has no use for: the world, its clocks, its chances, and other threads."""


def test_imports_go_down_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_core_reaches_for_nothing_outside_its_arguments() -> None:
    core = [name for name in ending(".py") if name.startswith("agent/sickbay/core/")]
    assert {name: out for name in core if (out := imported(name) & OUTSIDE)} == {}


def test_only_the_nvml_worker_loads_nvml() -> None:
    """A call into a sick driver may never return; no other process of ours makes one."""
    loading = [name for name in ending(".py") if name.startswith("agent/") and "pynvml" in imported(name)]
    allowed = ("agent/sickbay/host/nvml/", "agent/sickbay/sim/")
    assert [name for name in loading if not name.startswith(allowed)] == []


def imported(name: str) -> set[str]:
    """The top-level modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text(name))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found
