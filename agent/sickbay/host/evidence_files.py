"""Evidence bundles on disk: one folder a bundle, whole or not there, within a size, the oldest dropped.

A repair destroys what it repairs: a reboot empties the kernel log and the driver's counters. A bundle is
what a person has left afterwards, so it must be on the disk before the repair begins.
"""

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LIMIT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of a bundle. Of a piece that does not fit its end is kept: the latest lines matter most."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that is on disk. `cut` names the pieces that did not fit whole."""

    path: Path
    size: int
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFolder:
    """Where bundles are kept: at most `max_bytes` each, and the latest `keep` of them."""

    root: Path
    max_bytes: int = 16 * 1024 * 1024
    keep: int = 20

    def write(self, name: str, pieces: Sequence[Piece]) -> Bundle:
        """Keep `pieces` as the bundle `name`, the most important first; OSError when the disk refuses.

        A bundle of the same name is replaced.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
        target = self.root / safe_name(name)
        partial = self.root / f".{target.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o750)
        try:
            size, cut = self._fill(partial, pieces)
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        self._prune(target)
        return Bundle(path=target, size=size, cut=cut)

    def _fill(self, folder: Path, pieces: Sequence[Piece]) -> tuple[int, tuple[str, ...]]:
        left, cut = self.max_bytes, []
        for piece in pieces:
            content = piece.content[-left:] if left > 0 else b""
            if len(content) < len(piece.content):
                cut.append(piece.name)
            _write_durably(folder / piece.name, content)
            left -= len(content)
        if cut:
            _write_durably(
                folder / "cut.json", msgspec.json.encode({"cut": cut, "max_bytes": self.max_bytes})
            )
        return self.max_bytes - left, tuple(cut)

    def _prune(self, newest: Path) -> None:
        others = [path for path in self.root.iterdir() if path.is_dir() and path != newest]
        others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for old in others[self.keep - 1 :]:
            shutil.rmtree(old, ignore_errors=True)


def safe_name(name: str) -> str:
    """`name` as a file name: ids of ours hold slashes, and what a person typed may hold anything."""
    return _UNSAFE.sub("-", name).strip("-.")[:_NAME_LIMIT] or "unnamed"


def _write_durably(path: Path, content: bytes) -> None:
    """On the disk when it returns: the next thing that happens may be a reboot."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
