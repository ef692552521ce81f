"""Retired pages."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.core.signals import FieldValue
from sickbay.host.nvml.readings import GpuState, GpuSweep
from sickbay.monitors.retired_pages import signals

NAMES = ("retired_single", "retired_double", "retired_pending")


def fields(seen: GpuSweep) -> dict[str, FieldValue]:
    return dict(only(signals(sweep(seen))).fields)


def test_pages_are_counted_by_their_cause_and_added_up():
    seen = fields(gpu(retired_single=3, retired_double=2, retired_pending=0))
    assert seen == {"single_bit": 3, "double_bit": 2, "total": 5, "pending": False}


def test_a_page_waits_until_the_driver_is_loaded_again():
    states = (gpu(retired_pending=0), gpu(retired_pending=1), gpu(retired_pending=0))
    assert [fields(state)["pending"] for state in states] == [False, True, False]


def test_a_count_that_cannot_be_had_is_unknown_and_so_is_the_sum():
    half = gpu(retired_double=2, retired_pending=0, codes={"retired_single": 999})
    assert (fields(half)["single_bit"], fields(half)["total"], fields(half)["double_bit"]) == (None, None, 2)


def test_a_board_that_remaps_rows_says_nothing():
    assert signals(sweep(gpu(codes=dict.fromkeys(NAMES, 3)))) == ()


def test_nothing_is_claimed_of_a_lost_gpu():
    assert set(fields(gpu_in(GpuState.LOST)).values()) == {None}
