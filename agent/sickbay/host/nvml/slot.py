"""The shared memory in which the worker says, before each driver call, what it is about to do.

A thread that is stuck in the driver cannot answer anything, so the agent reads from here who is stuck, in
which call and since when. Two places: one for the thread that sweeps, one for the thread that waits for
events. Each record is written whole; a reader that catches one half-written sees something that differs
from its next look, and only what two looks agree on is ever believed.
"""

from __future__ import annotations

import mmap
import struct
from time import monotonic_ns

SWEEP = 0
EVENTS = 1
PLACES = 2
NO_GPU = -1

_RECORD = struct.Struct("=IiQ")
_STRIDE = 64  # one cache line a place, so that two threads never write to the same one
SIZE = _STRIDE * PLACES


class Slot:
    """One place of the shared memory, for writing (in the worker) and for reading (in the agent)."""

    __slots__ = ("_memory", "_offset")

    def __init__(self, memory: mmap.mmap, place: int) -> None:
        self._memory = memory
        self._offset = place * _STRIDE

    def enter(self, call_id: int, gpu: int) -> int:
        """Say that a call begins now; returns its start on CLOCK_MONOTONIC, in nanoseconds."""
        started = monotonic_ns()
        _RECORD.pack_into(self._memory, self._offset, call_id, gpu, started)
        return started

    def leave(self) -> None:
        """Say that no call is in progress."""
        _RECORD.pack_into(self._memory, self._offset, 0, NO_GPU, 0)

    def read(self) -> tuple[int, int, int]:
        """(call id, position of the GPU or NO_GPU, start in ns); call id 0 when no call is in progress."""
        call_id, gpu, started = _RECORD.unpack_from(self._memory, self._offset)
        return call_id, gpu, started


def map_slots(descriptor: int) -> mmap.mmap:
    """The shared memory behind an open memfd of SIZE bytes."""
    return mmap.mmap(descriptor, SIZE)
