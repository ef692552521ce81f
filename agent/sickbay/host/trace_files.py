"""Trace files: a history of nodes as lines of JSON, plain or compressed (`.gz`).

The first line says how the history was kept (core.history.About), each further one is one entry under the
name of its kind: `{"looked": {...}}`. Lines are written whole, so a trace that was cut short is read up to
its last whole line.
"""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from sickbay.core.history import About, Acted, Began, HistoryEntry, Learnt, Looked, Told, WasReset
from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.host.spool_records import UnreadableRecordError, decoded, encoded

FORMAT = 1
"""Rises when older readers could no longer make sense of a trace."""

_KINDS: dict[str, type[HistoryEntry]] = {
    "began": Began,
    "learnt": Learnt,
    "looked": Looked,
    "was_reset": WasReset,
    "told": Told,
    "acted": Acted,
}
_NAMES = {type_: name for name, type_ in _KINDS.items()}
_LINE = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Trace:
    """A trace that is being read; `about` says how it was kept. Entries come as they are asked for."""

    def __init__(self, path: Path) -> None:
        """Open it and read its first line.

        Raises:
            RefusedError: when it cannot be read, or is no trace of a format that we know.
        """
        self._path = path
        self._number = 1
        try:
            self._file = _opened(path)
            first = self._file.readline()
        except (OSError, EOFError) as error:
            raise self._refused(str(error), "a file that can be read") from error
        self.about = self._about(first)

    def __iter__(self) -> Iterator[HistoryEntry]:
        """Every entry; RefusedError at the first line that is none."""
        try:
            for line in self._file:
                self._number += 1
                if not line.endswith(b"\n"):
                    return
                if line.strip():
                    yield self._entry(line)
        except (OSError, EOFError) as error:
            raise self._refused(str(error), "a whole file") from error
        finally:
            self._file.close()

    def _about(self, line: bytes) -> About:
        try:
            head = _LINE.decode(line)
            if decoded(bytes(head["trace"]), int) != FORMAT:
                raise self._refused(f"format {bytes(head['trace']).decode()}", f"format {FORMAT}")
            return decoded(bytes(head["about"]), About)
        except (msgspec.DecodeError, UnreadableRecordError, KeyError) as error:
            raise self._refused(f"{line[:80]!r}", "the first line of a trace of Sickbay") from error

    def _entry(self, line: bytes) -> HistoryEntry:
        try:
            ((kind, body),) = _LINE.decode(line).items()
            return decoded(bytes(body), _KINDS[kind])
        except (msgspec.DecodeError, UnreadableRecordError) as error:
            raise self._refused(str(error), "an entry of a trace") from error
        except (ValueError, KeyError) as error:
            expected = f"one of {', '.join(_KINDS)}"
            raise self._refused(f"{line[:80]!r}", expected) from error

    def _refused(self, found: str, expected: str) -> RefusedError:
        place = Place(file=str(self._path), line=self._number, column=1)
        return RefusedError((Problem(place=place, found=found, expected=expected),))


def write_trace(path: Path, about: About, entries: Iterable[HistoryEntry]) -> int:
    """Write a whole trace; returns how many entries it has."""
    written = 0
    with _opened(path, "wb") as file:
        file.write(head_of(about))
        for entry in entries:
            file.write(line_of(entry))
            written += 1
    return written


def head_of(about: About) -> bytes:
    """The first line of a trace."""
    return b'{"trace":%d,"about":%b}\n' % (FORMAT, encoded(about))


def line_of(entry: HistoryEntry) -> bytes:
    """One line of a trace."""
    return b'{"%b":%b}\n' % (_NAMES[type(entry)].encode(), encoded(entry))


def _opened(path: Path, mode: str = "rb") -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, mode))
    return cast("BinaryIO", path.open(mode))
