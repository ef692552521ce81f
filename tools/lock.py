"""Pin every dependency of pyproject.toml, with hashes, for all supported Pythons and machines at once.

Usage: python3 tools/lock.py [--upgrade]

Writes requirements/run.lock (what the programs need, and the build backend for the editable install) and one
lock an extra that holds all of run.lock, in the same versions, plus the extra. The resolver itself comes from
requirements/resolver.lock, pinned the same way, into an environment under build/.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import setup

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "build" / "resolver"
OPTIONS = (
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--quiet"),
)


def resolver() -> Path:
    """The pinned uv, installed on first use."""
    uv = TOOLS / "bin" / "uv"
    if not uv.exists():
        setup.ensure_ensurepip()
        setup.call(sys.executable, "-m", "venv", TOOLS)
        pip = (TOOLS / "bin" / "python", "-m", "pip", *setup.PIP)
        setup.call(*pip, "--require-hashes", "-r", "requirements/resolver.lock")
    return uv


def resolve(uv: Path, name: str, *options: str, also: list[str], sources: tuple[str, ...]) -> None:
    """Write requirements/<name>.lock for the sources and the requirements in `also`."""
    output = f"requirements/{name}.lock"
    command = [str(uv), "pip", "compile", *OPTIONS, *options, "-o", output, *sources, "-"]
    environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
    subprocess.run(command, cwd=ROOT, input="\n".join(also), text=True, check=True, env=environment)
    print(f"lock: {output}", flush=True)


def main(arguments: list[str]) -> None:
    """Resolve run first, then each extra within run's versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = project["build-system"]["requires"]
    uv = resolver()
    upgrade = [word for word in arguments if word == "--upgrade"]
    resolve(uv, "run", *upgrade, also=build, sources=("pyproject.toml",))
    for extra in project["project"]["optional-dependencies"]:
        within = ["--constraint", "requirements/run.lock", "--extra", extra]
        resolve(uv, extra, *within, *upgrade, also=build, sources=("pyproject.toml",))
    resolve(uv, "resolver", *upgrade, also=["uv"], sources=())


if __name__ == "__main__":
    main(sys.argv[1:])
