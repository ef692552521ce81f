"""A simulated kernel log: a file of records in the form of `/dev/kmsg`, which anything may append to.

It stands in for the device behind the same Protocol, ring and overruns included, so that a demonstration or
a test can let a GPU of a pretended node fall off the bus without touching this machine's own log.
"""

import fcntl
import os
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sickbay.core.kernel_records import KERN, escape
from sickbay.host.clock import Clock
from sickbay.host.kmsg import Batch, Blindness, KernelLogUnavailableError, Reading, Sieve

POLL_S = 0.01
"""A regular file wakes nobody, so it is looked at this often."""

ERROR = 3
"""KERN_ERR, the level at which the NVIDIA driver prints its Xids."""

_TAIL = 64 * 1024
_RECORD = re.compile(rb"^\d+,(\d+),\d+,[^;\n]*;", re.MULTILINE)


def append(path: Path, text: str, *, mono: float, facility: int = KERN, level: int = ERROR) -> int:
    """Write one record and return its sequence. The file is made when there is none.

    `mono` is the stamp in seconds since boot. Line breaks in `text` stay one record, as printk does it.
    """
    with _locked(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
        sequence = _next_sequence(descriptor)
        prefix = f"{facility << 3 | level},{sequence},{round(mono * 1_000_000)},-;"
        os.write(descriptor, prefix.encode("ascii") + escape(text) + b"\n")
    return sequence


class SimulatedKernelLog:
    """Reads such a file as the device would be read.

    `ring` is how many records it holds: what lies further back when it is looked at has been overwritten.
    None keeps everything.
    """

    __slots__ = ("_clock", "_descriptor", "_offset", "_sieve", "_waiting")

    poll_interval: float = POLL_S

    def __init__(self, path: Path, reading: Reading, *, clock: Clock, ring: int | None = None) -> None:
        """Open the file at its beginning.

        Raises:
            KernelLogUnavailableError: when it is missing or may not be read.
        """
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise KernelLogUnavailableError(Blindness.MISSING, str(path)) from error
        except OSError as error:
            raise KernelLogUnavailableError(Blindness.DENIED, str(path)) from error
        self._clock = clock
        self._sieve = Sieve(reading)
        self._offset = 0
        self._waiting: deque[bytes] = deque(maxlen=ring)

    def fileno(self) -> int:
        """The file. It is always readable, which is why `poll_interval` is set."""
        return self._descriptor

    def read_batch(self, limit: int) -> Batch:
        """Up to `limit` records; those that fell out of the ring are missed, and the sequence tells."""
        self._waiting.extend(self._new_records())
        raws = [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]
        return self._sieve.batch(raws, read_at=self._clock.now(), more=bool(self._waiting))

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _new_records(self) -> list[bytes]:
        """Whole records appended since the last look; a record still being written waits for the next."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        try:
            size = os.fstat(self._descriptor).st_size
            data = os.pread(self._descriptor, max(0, size - self._offset), self._offset)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return list(_split(whole))


def _split(data: bytes) -> Iterator[bytes]:
    """One record each: a line, with the tag lines (which begin with a space) that follow it."""
    record = b""
    for line in data.split(b"\n"):
        if record and not line.startswith(b" "):
            yield record
            record = b""
        record += line + b"\n" if line else b""
    if record:
        yield record


@contextmanager
def _locked(path: Path, flags: int, kind: int) -> Iterator[int]:
    """The open file, with other writers (`LOCK_EX`) kept out."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def _next_sequence(descriptor: int) -> int:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    last = None
    for last in _RECORD.finditer(tail):  # noqa: B007 - the last match is what is wanted
        pass
    return 0 if last is None else int(last[1]) + 1
