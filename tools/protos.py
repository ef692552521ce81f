"""Generate the typed stubs of protos/ into agent/sickbay/v1, or check that the committed ones are current.

Usage: python tools/protos.py [--check]

`protos/sickbay/v1/x.proto` becomes `agent/sickbay/v1/x_pb2.py` and its companions without any patching,
because the proto package is named as the Python package is. SHA256SUMS beside the stubs says what they were
made from, so that a set-up without the generator can tell a stale stub; `sha256sum -c` reads it, too.
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "protos"
PACKAGE = "sickbay/v1"
STUBS = ROOT / "agent" / PACKAGE
SUMS = "SHA256SUMS"


def sources() -> list[Path]:
    """Every .proto file, in an order that does not depend on the file system."""
    return sorted((SOURCES / PACKAGE).glob("*.proto"))


def generate(into: Path) -> None:
    """Run protoc with its four generators; the version of each is pinned by requirements/dev.lock."""
    protoc = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(SOURCES)]
    kinds = ("python", "grpc_python", "mypy", "mypy_grpc")
    outputs = [f"--{kind}_out={into}" for kind in kinds]
    names = [path.relative_to(SOURCES).as_posix() for path in sources()]
    plugins = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(
        [*protoc, *outputs, *names], env=plugins, text=True, capture_output=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr + f"protos: protoc failed (exit {done.returncode})")
    (into / PACKAGE / SUMS).write_text(checksums(into / PACKAGE), encoding="utf-8")


def checksums(stubs: Path) -> str:
    """One `sha256sum` line a source and a stub, by their place in the repository."""
    made = [path for path in sorted(stubs.glob("*_pb2*")) if path.is_file()]
    entries = [(path, path.relative_to(ROOT).as_posix()) for path in sources()]
    entries += [(path, f"agent/{PACKAGE}/{path.name}") for path in made]
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for path, name in entries)


def contents(folder: Path) -> dict[str, bytes]:
    """What protoc wrote and nothing else that lies beside it."""
    wanted = [*folder.glob("*_pb2*"), *folder.glob(SUMS)]
    return {path.name: path.read_bytes() for path in wanted if path.is_file()}


def install(fresh: dict[str, bytes]) -> None:
    """Replace the stubs by the fresh ones; a stub whose source is gone goes, too."""
    for name in contents(STUBS).keys() - fresh.keys():
        (STUBS / name).unlink()
    for name, data in fresh.items():
        (STUBS / name).write_bytes(data)
    print(f"protos: {len(fresh)} files in agent/{PACKAGE}")


def main(arguments: list[str]) -> None:
    """Generate into a temporary folder first, so that a failure leaves the tree as it was."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = contents(Path(scratch) / PACKAGE)
    if "--check" not in arguments:
        install(fresh)
        return
    old = contents(STUBS)
    drifted = sorted(name for name in fresh.keys() | old.keys() if fresh.get(name) != old.get(name))
    if drifted:
        sys.exit(f"protos: drifted from protos/: {', '.join(drifted)}; run `make protos` and commit")


if __name__ == "__main__":
    main(sys.argv[1:])
