"""The kernel's clock, from the bytes in which it answers."""

import struct

from sickbay.host.time_sync import decoded, read_clock

UNSYNCHRONISED, NANOSECONDS = 0x40, 0x2000


def timex(offset: int, may_be_off: int, is_off: int, status: int) -> bytes:
    """`struct timex` of a 64-bit kernel: 208 bytes, the head as linux/timex.h lays it out."""
    return struct.pack("<I4xqqqqi", 0, offset, 0, may_be_off, is_off, status).ljust(208, b"\0")


def test_a_kept_clock_is_told_in_seconds() -> None:
    reading = decoded(timex(-2_500_000, 20_000, 150, NANOSECONDS))
    assert (reading.synchronised, reading.may_be_off, reading.is_off) == (True, 0.02, 0.00015)
    assert reading.offset == -0.0025


def test_without_nanoseconds_the_offset_is_in_microseconds() -> None:
    reading = decoded(timex(2_500, 16_000_000, 16_000_000, UNSYNCHRONISED))
    assert (reading.synchronised, reading.may_be_off, reading.offset) == (False, 16.0, 0.0025)


def test_this_kernel_answers_or_refuses() -> None:
    reading = read_clock()
    assert reading.synchronised in {True, False, None}
    assert reading.may_be_off is None or 0.0 <= reading.may_be_off < 1e6
