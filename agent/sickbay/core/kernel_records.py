"""Records of the kernel log, as `/dev/kmsg` hands them out: one record a read, never raising on any bytes.

The format is Documentation/ABI/testing/dev-kmsg of the kernel:

    7,160,424069,-;pci_root PNP0A03:00: host bridge window [io  0x0000-0x0cf7]
     SUBSYSTEM=acpi
     DEVICE=+acpi:PNP0A03:00

with `facility << 3 | level`, the record's sequence, its stamp in microseconds, flags, and on some kernels a
caller (`,caller=T1`). Everything is looked at while it is still bytes, because most records are of no
interest and must cost little. What is made for every record of interest is a msgspec Struct, which costs a
tenth of a frozen dataclass: in a storm the kernel writes tens of thousands of records a second.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from sickbay.core.ids import BootId
from sickbay.core.instants import Instant

KERN = 0
"""The facility of the kernel itself; the only one that user space cannot write."""

USER = 1
"""The facility that a line gets which is written to /dev/kmsg from user space without one."""

_HEADER = re.compile(rb"(\d{1,5}),(\d{1,19}),(\d{1,19}),([^,;\n]{0,16})(?:,([^;\n]{0,200}))?;")
_TOGETHER_US = 1_000_000
"""Equal records further apart than this, in microseconds, are events of their own."""

_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")


class KernelRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One record. `usec` counts from boot on the kernel log's own clock; see `instant_of`."""

    facility: int
    level: int
    sequence: int
    usec: int
    text: str
    flags: str = "-"
    caller: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def is_injected(self) -> bool:
        """Whether user space wrote it: a test, or a forgery."""
        return self.facility != KERN


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRecord:
    """Bytes that are no record. `after` is the sequence of the last one before them, -1 for none."""

    raw: bytes
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGap:
    """Records that were overwritten before they were read: `lost` of them, from sequence `first` on.

    `before_start` says that they were gone when reading began, so that a reader that fell behind can be
    told from one that was started late.
    """

    first: int
    lost: int
    before_start: bool


class Repeated(Struct, frozen=True, kw_only=True, gc=False):
    """The record before came again: `times` more, the last of them with this sequence and stamp.

    It stands for records that follow each other closely, so that a storm of equal lines costs next to
    nothing; the first of a storm is always a KernelRecord.
    """

    record: KernelRecord
    times: int
    sequence: int
    usec: int


Entry = KernelRecord | Repeated | UnknownRecord | LogGap


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where reading has come to: the last record looked at. It means nothing on another boot."""

    boot_id: BootId
    sequence: int


_HEAD = 4
"""Bytes of a text that are looked up before it is compared with any whole start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Which records are worth decoding: those that start with, or hold, one of these.

    Nearly all records are of no interest, so one look-up of their first bytes passes most over, however many
    starts there are.
    """

    starts: tuple[bytes, ...]
    holds: tuple[bytes, ...] = ()
    _heads: frozenset[bytes] = field(init=False, repr=False, compare=False)
    _short: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_heads", frozenset(start[:_HEAD] for start in self.starts))
        object.__setattr__(self, "_short", tuple(start for start in self.starts if len(start) < _HEAD))

    def covers(self, raw: bytes, text_at: int) -> bool:
        """Whether the record whose text starts at `text_at` is of interest."""
        if raw[text_at : text_at + _HEAD] in self._heads and raw.startswith(self.starts, text_at):
            return True
        for token in self.holds:  # A loop, because a generator costs more than the searches.
            if token in raw:
                return True
        return bool(self._short) and raw.startswith(self._short, text_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """What of some raw records is to be kept, and the sequence that should come next."""

    entries: tuple[Entry, ...]
    next_sequence: int


def parse_record(raw: bytes, *, after: int = -1) -> KernelRecord | UnknownRecord:
    """The record in these bytes; an UnknownRecord that keeps them when they are none. Never raises."""
    head = _HEADER.match(raw)
    if head is None:
        return UnknownRecord(raw=raw, after=after)
    return _record(raw, head, int(head[1]), int(head[2]), int(head[3]))


def sift(
    raws: Sequence[bytes],
    *,
    next_sequence: int,
    interest: Interest,
    accept_injected: bool = False,
    before_start: bool = False,
) -> Sifted:
    """Keep what is of interest, in order, with a LogGap wherever sequences are missing.

    Equal records that follow each other closely come out as the first of them and a Repeated.

    Records before `next_sequence` have been seen and are passed over. Records of user space are kept only
    with `accept_injected`, and then only what looks like the kernel's own; other facilities never.
    `before_start` says that `raws` are the first of this reading, for the gap before them.
    """
    kept, expected = _Kept(), next_sequence
    for raw in raws:
        head = _HEADER.match(raw)
        if head is None:
            kept.add(UnknownRecord(raw=raw, after=expected - 1))
            continue
        sequence = int(head[2])
        if sequence != expected:
            if sequence < expected:
                continue
            kept.add(LogGap(first=expected, lost=sequence - expected, before_start=before_start))
        before_start = False
        expected = sequence + 1
        priority = int(head[1])
        facility = priority >> 3
        allowed = facility == KERN or (accept_injected and facility == USER)
        if allowed and interest.covers(raw, head.end()):
            kept.add_record(raw, head, priority, sequence)
    return Sifted(entries=kept.done(), next_sequence=expected)


class _Kept:
    """The entries of one sifting, with equal records that follow each other drawn together."""

    __slots__ = ("_body", "_entries", "_last", "_record", "_times", "_usec")

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._record: KernelRecord | None = None
        self._body = b""
        self._times = self._usec = self._last = 0

    def add(self, entry: Entry) -> None:
        """Keep something that is no equal of what came before."""
        self._settle()
        self._record = None
        self._entries.append(entry)

    def add_record(self, raw: bytes, head: re.Match[bytes], priority: int, sequence: int) -> None:
        """Keep a record, or count it where it equals the one before."""
        body, usec = raw[head.start(4) :], int(head[3])
        if body == self._body and self._repeats(priority, usec):
            self._times, self._usec, self._last = self._times + 1, usec, sequence
            return
        if self._times:
            self._settle()
        record = _record(raw, head, priority, sequence, usec)
        self._entries.append(record)
        self._record, self._body, self._usec = record, body, usec

    def _repeats(self, priority: int, usec: int) -> bool:
        """Whether a record with an equal body is the one before, again."""
        record = self._record
        if record is None or not 0 <= usec - self._usec <= _TOGETHER_US:
            return False
        return priority == record.facility << 3 | record.level

    def done(self) -> tuple[Entry, ...]:
        """Everything kept, in order."""
        self._settle()
        return tuple(self._entries)

    def _settle(self) -> None:
        if self._times and self._record is not None:
            more = Repeated(record=self._record, times=self._times, sequence=self._last, usec=self._usec)
            self._entries.append(more)
        self._times = 0


def instant_of(usec: int, now: Instant) -> Instant:
    """When a record was written, on both clocks, never later than `now`.

    The kernel stamps records with its scheduler clock, which runs at the processor's own rate, while
    CLOCK_MONOTONIC is disciplined by NTP. On a host that has been up for weeks the two can lie seconds apart
    (10 ppm are 26 s in 30 days), so a stamp from the future is taken for this moment, and spans between a
    record and a reading of another clock carry that error.
    """
    mono = min(usec / 1_000_000, now.mono)
    return Instant(mono=mono, wall=now.wall - (now.mono - mono))


def unescape(data: bytes) -> str:
    r"""Text of a record's bytes: the kernel writes control, non-ASCII and backslash bytes as `\xNN`."""
    if b"\\x" in data:
        data = _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), data)
    return data.decode("utf-8", "backslashreplace")


def escape(text: str) -> bytes:
    """The bytes that the kernel would show for a text; the inverse of `unescape` for any UTF-8 text."""
    return b"".join(
        bytes((byte,)) if _is_plain(byte) else b"\\x%02x" % byte for byte in text.encode("utf-8", "replace")
    )


def _is_plain(byte: int) -> bool:
    return 0x20 <= byte < 0x7F and byte != ord("\\")  # noqa: PLR2004 - printable ASCII, as in the kernel


def _record(raw: bytes, head: re.Match[bytes], priority: int, sequence: int, usec: int) -> KernelRecord:
    """The record whose header was read already, numbers and all: most of what a storm costs is here."""
    text, _, rest = raw[head.end() :].partition(b"\n")
    caller = head[5]
    return KernelRecord(
        facility=priority >> 3,
        level=priority & 7,
        sequence=sequence,
        usec=usec,
        text=unescape(text),
        flags="-" if head[4] == b"-" else unescape(head[4]),
        caller="" if caller is None else unescape(caller).removeprefix("caller="),
        tags=_tags(rest) if rest else (),
    )


def _tags(rest: bytes) -> tuple[tuple[str, str], ...]:
    lines = (line[1:].partition(b"=") for line in rest.split(b"\n") if line.startswith(b" "))
    return tuple((unescape(key), unescape(value)) for key, _, value in lines)
