"""The rule sets that a host keeps on its disk, so that it can start with the last good one.

    rules/<digest>/00/gpu.yaml      the files, a folder a layer
    rules/current.json              which set is in force; replaced in one step

A set is written whole, and synced, before anything names it. What a death leaves half-written has a name that
nobody looks for, and goes with the next one.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.core.rule_bundles import RuleBundle
from sickbay.host.rule_sets import LoadedSet, lay_down, layers_in, load_laid, read_bundle
from sickbay.host.spool_records import UnreadableRecordError, decoded, encoded

_CURRENT = "current.json"
_HALF = ".half-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The set in force. `offered` says that a coordinator handed it out, `since` when (Unix seconds)."""

    digest: str
    version: int = 0
    offered: bool = False
    since: float = 0.0
    before: str = ""


class RuleShelf:
    """The folder of one program. Its methods block; OSError where the disk does not do its part."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first set."""
        self._folder = folder

    def try_out(self, bundle: RuleBundle) -> LoadedSet:
        """Check a set as it would lie here, and keep it without putting it in force.

        Raises:
            RefusedError: with every problem; nothing is kept then.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        half = Path(tempfile.mkdtemp(prefix=_HALF, dir=self._folder))
        try:
            lay_down(bundle, half)
            loaded = load_laid(half, bundle)
            self._put(half, bundle.digest)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        return loaded

    def put_in_force(self, kept: Kept) -> None:
        """Start with this set from now on. The one before it stays, all others go."""
        fresh = self._folder / f"{_HALF}{_CURRENT}"
        with fresh.open("wb") as file:
            file.write(encoded(kept))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / _CURRENT)
        _sync(self._folder)
        for other in self._folder.iterdir():
            if other.is_dir() and other.name not in {kept.digest, kept.before}:
                shutil.rmtree(other, ignore_errors=True)

    def clear(self) -> None:
        """Start with the host's own files from now on."""
        (self._folder / _CURRENT).unlink(missing_ok=True)

    def current(self) -> Kept | None:
        """Which set is in force; None when none is, or when that cannot be read."""
        try:
            return decoded((self._folder / _CURRENT).read_bytes(), Kept)
        except (FileNotFoundError, UnreadableRecordError):
            return None

    def load(self, digest: str) -> LoadedSet:
        """The set of that digest, checked anew, as another version may have kept it.

        Raises:
            RefusedError: it is not here, is not what was kept, or this version cannot use it.
        """
        folder = self._folder / digest
        bundle = _bundle_in(folder)
        if bundle.digest != digest:
            place = Place(file=str(folder))
            found = "texts that do not match their digest"
            raise RefusedError((Problem(place=place, found=found, expected="the set as it was kept"),))
        return load_laid(folder, bundle)

    def texts(self, digest: str) -> RuleBundle:
        """The texts of a set that lies here; RefusedError when they cannot be read."""
        return _bundle_in(self._folder / digest)

    def builtin(self, digest: str) -> Path:
        """The folder of the built-in layer of a set that lies here."""
        return layers_in(self._folder / digest, 1)[0]

    def _put(self, half: Path, digest: str) -> None:
        for path in (*half.rglob("*"), half):
            _sync(path)
        target = self._folder / digest
        if target.exists():
            if _is_whole(target, digest):
                return
            shutil.rmtree(target)
        half.rename(target)
        _sync(self._folder)

    def _sweep(self) -> None:
        for half in self._folder.glob(f"{_HALF}*"):
            if half.is_dir():
                shutil.rmtree(half, ignore_errors=True)


def _bundle_in(folder: Path) -> RuleBundle:
    count = sum(each.is_dir() for each in folder.iterdir()) if folder.is_dir() else 1
    return read_bundle(layers_in(folder, count))


def _is_whole(folder: Path, digest: str) -> bool:
    try:
        return _bundle_in(folder).digest == digest
    except RefusedError:
        return False


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
