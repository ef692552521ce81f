"""The shared memory in which a worker announces its calls."""

import os
from time import monotonic_ns

from hypothesis import given
from hypothesis import strategies as st

from sickbay.host.nvml.slot import EVENTS, NO_GPU, SIZE, SWEEP, Slot, map_slots


def memory() -> int:
    descriptor = os.memfd_create("test")
    os.ftruncate(descriptor, SIZE)
    return descriptor


def test_fresh_memory_says_that_no_call_is_in_progress():
    assert Slot(map_slots(memory()), SWEEP).read()[0] == 0


@given(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_what_one_mapping_says_another_reads(call: int, gpu: int):
    descriptor = memory()
    writer, reader = Slot(map_slots(descriptor), SWEEP), Slot(map_slots(descriptor), SWEEP)
    before = monotonic_ns()
    started = writer.enter(call, gpu)
    assert reader.read() == (call, gpu, started)
    assert before <= started <= monotonic_ns()
    writer.leave()
    assert reader.read() == (0, NO_GPU, 0)
    os.close(descriptor)


def test_the_two_threads_do_not_write_over_each_other():
    shared = map_slots(memory())
    sweeping, waiting = Slot(shared, SWEEP), Slot(shared, EVENTS)
    first, second = sweeping.enter(3, 1), waiting.enter(7, NO_GPU)
    sweeping.leave()
    assert waiting.read() == (7, NO_GPU, second)
    assert first <= second
