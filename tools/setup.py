"""Prepare everything that `make demo` and `make test` need, from nothing but python3, make and git.

Usage: python3 tools/setup.py run | dev | system

`run` and `dev` make .venv hold exactly what requirements/run.lock or dev.lock say, each package checked
against its recorded hash, and this project on top. `system` installs the Debian packages that some tests
start as real programs. A second call finds its stamp and returns at once. Only the standard library may be
imported here, and the file must parse on any Python 3, so that an old one gets a sentence, not a traceback.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is the check that tells people so
    sys.exit(
        f"Sickbay needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        "Name another one: make PYTHON=/path/to/python3.11"
    )

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "sickbay-setup.json"
PYTHON = VENV / "bin" / "python"
ORIGIN = f"Python {sys.version_info.major}.{sys.version_info.minor} in {ROOT}"
STUBS = ROOT / "agent" / "sickbay" / "v1" / "SHA256SUMS"

PIP = ("--disable-pip-version-check", "--no-input", "--quiet", "install")

NEEDED = {
    "munged": "munge",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "scontrol": "slurm-client",
    "gcc": "gcc",
    "openssl": "openssl",
    "/usr/include/stdlib.h": "libc6-dev",
    "systemd-analyze": "systemd",
    "pg_ctlcluster": "postgresql",
}
"""What the tests start or include -> the Debian package that brings it."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Name what is being done, and how long it took once it is done."""
    print(f"setup: {what} …", flush=True)
    began = time.perf_counter()
    yield
    print(f"setup: {what}: done in {time.perf_counter() - began:.1f} s", flush=True)


def call(*command: str | Path, hint: str = "") -> None:
    """Run quietly; when the command fails, show all it said and stop."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        sys.exit(f"{said}\nsetup: failed (exit {done.returncode}): {' '.join(words)}\n{hint}".rstrip())


def digest(profile: str) -> str:
    """What the environment was made from. A change of any of it calls for a new set-up."""
    parts = hashlib.sha256(f"{profile} {ORIGIN}".encode())
    for path in (ROOT / "requirements" / f"{profile}.lock", ROOT / "pyproject.toml"):
        parts.update(path.read_bytes())
    return parts.hexdigest()


def stamped() -> dict[str, str]:
    """What the last complete set-up left, empty when there was none."""
    try:
        read = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) and PYTHON.exists() else {}


def is_ready(profile: str) -> bool:
    """Whether .venv serves this profile; the developer's one holds all that a run needs."""
    made = stamped()
    return any(made.get("digest") == digest(each) for each in {profile, "dev"})


def create_environment() -> None:
    """A new .venv where there is none, or where the old one was another Python's or another place's."""
    if stamped().get("origin") == ORIGIN:
        return
    ensure_ensurepip()
    with step(f"virtual environment in {VENV.name}"):
        call(sys.executable, "-m", "venv", "--clear", VENV)


def ensure_ensurepip() -> None:
    """Debian keeps the part of the standard library that `python3 -m venv` needs in a package of its own."""
    if importlib.util.find_spec("ensurepip") is not None:
        return
    if not may_install():
        sys.exit(
            "setup: this Python cannot make virtual environments: its module `ensurepip` is missing.\n"
            "setup: on Debian and Ubuntu: sudo apt-get install python3-venv; then call make again."
        )
    install_packages(["python3-venv"])


def may_install() -> bool:
    """Whether packages of the system can be added from here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(names: list[str]) -> None:
    """Bring in Debian packages without a question and without what is merely recommended."""
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    with step(f"system packages by apt: {' '.join(names)}"):
        call("apt-get", "-q", "update")
        call("apt-get", "-q", "install", "-y", "--no-install-recommends", *names)


def install_project(profile: str) -> None:
    """The locked packages, each against its hash, then this tree as an editable install."""
    lock = f"requirements/{profile}.lock"
    pip: list[str | Path] = [PYTHON, "-m", "pip", *PIP]
    count = sum("==" in line for line in (ROOT / lock).read_text(encoding="utf-8").splitlines())
    with step(f"{count} pinned packages of {lock}"):
        call(*pip, "--require-hashes", "-r", lock, hint="setup: is the package index reachable from here?")
    with step("sickbay itself"):
        call(*pip, "--no-deps", "--no-build-isolation", "--editable", ".")


def check_stubs() -> None:
    """Stop unless the committed stubs belong to the .proto files, as far as that shows without protoc."""
    for line in STUBS.read_text(encoding="utf-8").splitlines():
        recorded, name = line.split(maxsplit=1)
        path = ROOT / name
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != recorded:
            sys.exit(f"setup: {name} is not what the stubs were generated from or to; run `make protos`")


def compile_package() -> None:
    """Byte-code beside the sources, whatever PYTHONDONTWRITEBYTECODE says.

    A program of ours that starts without it takes 100 ms and 10 MB more.
    """
    call(PYTHON, "-m", "compileall", "-q", ROOT / "agent")


def prepare(profile: str) -> None:
    """Make .venv serve `profile`, doing only what is not done yet."""
    if not is_ready(profile):
        create_environment()
        STAMP.unlink(missing_ok=True)
        install_project(profile)
        made = {"profile": profile, "digest": digest(profile), "origin": ORIGIN}
        STAMP.write_text(json.dumps(made) + "\n", encoding="utf-8")
    if profile == "run":  # with the generator at hand, tests and lint make the stubs anew instead
        check_stubs()
    compile_package()


def is_present(thing: str) -> bool:
    """A program on the PATH as root has it, or a file by its absolute name."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return Path(thing).exists() if thing.startswith("/") else shutil.which(thing, path=search) is not None


def prepare_system() -> None:
    """The programs that tests run for real. Where they cannot be had, say which tests will be skipped."""
    missing = [package for thing, package in NEEDED.items() if not is_present(thing)]
    if not missing:
        return
    if may_install():
        install_packages(missing)
        return
    print(f"setup: some tests need what is not here: {' '.join(missing)}; they will be skipped by name")
    print("setup: as root on Debian or Ubuntu, make installs it by itself")
    if os.environ.get("SICKBAY_REQUIRE_SLURM") == "1":
        sys.exit("setup: SICKBAY_REQUIRE_SLURM=1, so those tests must run; stopping here")


def main(arguments: list[str]) -> None:
    """Do what the command line names; exit 2 when it names nothing known."""
    if arguments == ["system"]:
        prepare_system()
    elif arguments in (["run"], ["dev"]):
        prepare(arguments[0])
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
