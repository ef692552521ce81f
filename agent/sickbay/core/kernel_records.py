"""Records of the kernel log, as `/dev/kmsg` hands them out: one record a read, never raising on any bytes.

The format is Documentation/ABI/testing/dev-kmsg of the kernel:

    7,160,424069,-;pci_root PNP0A03:00: host bridge window [io  0x0000-0x0cf7]
     SUBSYSTEM=acpi
     DEVICE=+acpi:PNP0A03:00

with `facility << 3 | level`, the record's sequence, its stamp in microseconds, flags, and on some kernels a
caller (`,caller=T1`). Everything is looked at while it is still bytes, because most records are of no
interest and must cost little.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sickbay.core.ids import BootId
from sickbay.core.instants import Instant

KERN = 0
"""The facility of the kernel itself; the only one that user space cannot write."""

USER = 1
"""The facility that a line gets which is written to /dev/kmsg from user space without one."""

_HEADER = re.compile(rb"(\d{1,5}),(\d{1,19}),(\d{1,19}),([^,;\n]{0,16})(?:,([^;\n]{0,200}))?;")
_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelRecord:
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


Entry = KernelRecord | UnknownRecord | LogGap


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where reading has come to: the last record looked at. It means nothing on another boot."""

    boot_id: BootId
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Which records are worth decoding: those that start with, or hold, one of these."""

    starts: tuple[bytes, ...]
    holds: tuple[bytes, ...] = ()

    def covers(self, raw: bytes, text_at: int) -> bool:
        """Whether the record whose text starts at `text_at` is of interest."""
        return raw.startswith(self.starts, text_at) or any(token in raw for token in self.holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """What of some raw records is to be kept, and the sequence that should come next."""

    entries: tuple[Entry, ...]
    next_sequence: int


def parse_record(raw: bytes, *, after: int = -1) -> KernelRecord | UnknownRecord:
    """The record in these bytes; an UnknownRecord that keeps them when they are none. Never raises."""
    head = _HEADER.match(raw)
    return UnknownRecord(raw=raw, after=after) if head is None else _record(raw, head)


def sift(
    raws: Sequence[bytes],
    *,
    next_sequence: int,
    interest: Interest,
    accept_injected: bool = False,
    before_start: bool = False,
) -> Sifted:
    """Keep what is of interest, in order, with a LogGap wherever sequences are missing.

    Records before `next_sequence` have been seen and are passed over. Records of user space are kept only
    with `accept_injected`, and then only what looks like the kernel's own; other facilities never.
    `before_start` says that `raws` are the first of this reading, for the gap before them.
    """
    entries: list[Entry] = []
    expected = next_sequence
    for raw in raws:
        head = _HEADER.match(raw)
        if head is None:
            entries.append(UnknownRecord(raw=raw, after=expected - 1))
            continue
        sequence = int(head[2])
        if sequence != expected:
            if sequence < expected:
                continue
            entries.append(LogGap(first=expected, lost=sequence - expected, before_start=before_start))
        before_start = False
        expected = sequence + 1
        facility = int(head[1]) >> 3
        allowed = facility == KERN or (accept_injected and facility == USER)
        if allowed and interest.covers(raw, head.end()):
            entries.append(_record(raw, head))
    return Sifted(entries=tuple(entries), next_sequence=expected)


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


def _record(raw: bytes, head: re.Match[bytes]) -> KernelRecord:
    priority = int(head[1])
    text, _, rest = raw[head.end() :].partition(b"\n")
    caller = head[5]
    return KernelRecord(
        facility=priority >> 3,
        level=priority & 7,
        sequence=int(head[2]),
        usec=int(head[3]),
        text=unescape(text),
        flags=head[4].decode("ascii", "backslashreplace"),
        caller="" if caller is None else caller.decode("ascii", "backslashreplace").removeprefix("caller="),
        tags=_tags(rest) if rest else (),
    )


def _tags(rest: bytes) -> tuple[tuple[str, str], ...]:
    lines = (line[1:].partition(b"=") for line in rest.split(b"\n") if line.startswith(b" "))
    return tuple((unescape(key), unescape(value)) for key, _, value in lines)
