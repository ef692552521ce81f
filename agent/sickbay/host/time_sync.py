"""What the kernel believes of its own clock: whether somebody keeps it right, and how wrong it may be.

adjtimex(2) with nothing to set asks the kernel alone: no daemon's tool is started, and it is the same answer
under chrony, ntpd, systemd-timesyncd and phc2sys, which all tell the kernel what they know.
"""

import ctypes
import struct
from dataclasses import dataclass

from sickbay.core.instants import Instant

_UNSYNCHRONISED = 0x0040
_IN_NANOSECONDS = 0x2000
"""STA_UNSYNC and STA_NANO (linux/timex.h)."""

_TIMEX = struct.Struct("@Illlli")
"""The head of `struct timex` (linux/timex.h) in the machine's own alignment: modes, offset, freq, maxerror,
esterror, status."""

_TIMEX_BYTES = 256
"""`struct timex` has 208 bytes where long has 64 bits; the rest is room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """The kernel's view of its clock, in seconds; `at` is added by the monitor. None: it may not be asked.

    `may_be_off` is the kernel's bound on the error (maxerror), which grows by 0.5 ms a second while nobody
    confirms the time; `is_off` its estimate (esterror); `offset` what it still has to slew.
    """

    synchronised: bool | None = None
    may_be_off: float | None = None
    is_off: float | None = None
    offset: float | None = None
    at: Instant | None = None


def read_clock() -> ClockReading:
    """The kernel's clock now. Where a sandbox refuses the call, all is unknown."""
    answer = _adjtimex()
    return decoded(answer) if answer is not None else ClockReading()


def decoded(timex: bytes) -> ClockReading:
    """The kernel's answer (`struct timex`, or its first 44 bytes) in seconds."""
    _, offset, _, may_be_off, is_off, status = _TIMEX.unpack_from(timex)
    return ClockReading(
        synchronised=not status & _UNSYNCHRONISED,
        may_be_off=may_be_off / 1e6,
        is_off=is_off / 1e6,
        offset=offset / (1e9 if status & _IN_NANOSECONDS else 1e6),
    )


def _adjtimex() -> bytes | None:
    """`modes` is 0, which sets nothing and takes no privilege."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    adjtimex = ctypes.CDLL(None).adjtimex
    if adjtimex(buffer) < 0:
        return None
    return buffer.raw
