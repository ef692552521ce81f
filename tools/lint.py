"""Run every check that needs no test: style, types, layers, and the currency of generated files.

Usage: python tools/lint.py

All checks run even when one fails, so that one call shows everything there is to mend. Exit 1 if any failed.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str]] = {
    "style": [f"{BIN}/ruff", "check", "--quiet"],
    "format": [f"{BIN}/ruff", "format", "--check", "--quiet"],
    "types": [f"{BIN}/mypy", "--no-error-summary"],
    "types of tools": [f"{BIN}/mypy", "--no-error-summary", "tools"],
    "layers": [f"{BIN}/lint-imports", "--no-logo"],
    "stubs": [sys.executable, "tools/protos.py", "--check"],
    "reasons": [sys.executable, "tools/generate_reasons.py", "--check"],
    "signals": [sys.executable, "tools/generate_signals.py", "--check"],
    "schemas": [sys.executable, "tools/generate_schemas.py", "--check"],
}
"""What is checked -> the command that checks it."""


def passes(name: str, command: list[str]) -> bool:
    """Run one check; print one line when it holds and all that it said when it does not."""
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    verdict = "ok" if done.returncode == 0 else f"FAILED (exit {done.returncode})"
    print(f"lint: {name}: {verdict}", flush=True)
    if done.returncode != 0:
        print((done.stdout + done.stderr).strip(), flush=True)
    return done.returncode == 0


def main() -> None:
    """Run all checks in turn."""
    failed = [name for name, command in CHECKS.items() if not passes(name, command)]
    if failed:
        sys.exit(f"lint: to mend: {', '.join(failed)}")


if __name__ == "__main__":
    main()
