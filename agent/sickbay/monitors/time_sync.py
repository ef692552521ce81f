"""Whether the host's clock is kept right, how wrong it may be, and whether it jumped."""

from dataclasses import replace

from sickbay.core.devices import NODE
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.time_sync import ClockReading, read_clock
from sickbay.monitors.coarse import in_steps
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import said

_NOISE = 0.01
"""Seconds that may pass between the readings of the two clocks without either having jumped."""


def read(_root: HostRoot) -> ClockReading:
    """The kernel's clock now. It has no file, so there is none to look for in a host's tree."""
    return read_clock()


def carry(reading: ClockReading, _before: ClockReading | None, known: HostKnown) -> ClockReading:
    """Remember what both clocks said."""
    return replace(reading, at=known.now)


def signals(reading: ClockReading, previous: ClockReading | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `clock` for the node."""
    fields: dict[str, FieldValue] = {
        "synchronised": reading.synchronised,
        "may_be_off": in_steps(reading.may_be_off, 1.0),
        "is_off": in_steps(reading.is_off, 0.05),
        "offset": in_steps(reading.offset, 0.05),
        "jumped": _jump(reading, previous),
    }
    return (said("clock", NODE, known, fields, ("adjtimex",)),)


def _jump(reading: ClockReading, previous: ClockReading | None) -> float | None:
    """How far the wall clock moved beyond the monotonic one, forwards above zero.

    Both clocks are slewed alike, so that they part only when the wall clock is set, at a leap second, and
    when the host slept.
    """
    if previous is None or previous.at is None or reading.at is None:
        return None
    moved = (reading.at.wall - previous.at.wall) - (reading.at.mono - previous.at.mono)
    return round(moved, 3) if abs(moved) > _NOISE else 0.0
