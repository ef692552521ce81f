"""Remapped rows."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState
from sickbay.monitors.row_remap import signals


def test_a_remap_fails_and_the_new_board_is_well():
    flags = [only(signals(sweep(gpu(remap_failure=flag)))).fields["failure"] for flag in (0, 1, 0)]
    assert flags == [False, True, False]


def test_a_pending_remap_is_there_until_the_reset():
    flags = [only(signals(sweep(gpu(remap_pending=flag)))).fields["pending"] for flag in (0, 1, 0)]
    assert flags == [False, True, False]


def test_a_flag_that_cannot_be_had_is_unknown():
    states = (gpu(), gpu(codes={"remap_failure": 10}), gpu())
    flags = [only(signals(sweep(state))).fields["failure"] for state in states]
    assert flags == [False, None, False]


def test_the_rows_replaced_are_added_up_and_half_a_sum_is_none():
    both = gpu(remapped_correctable=3, remapped_uncorrectable=4)
    half = gpu(remapped_correctable=3, codes={"remapped_uncorrectable": 999})
    assert [only(signals(sweep(seen))).fields["total"] for seen in (both, half)] == [7, None]


def test_a_gpu_with_mig_instances_says_nothing():
    names = ("remapped_correctable", "remapped_uncorrectable", "remap_pending", "remap_failure")
    assert signals(sweep(gpu(codes=dict.fromkeys(names, 3)))) == ()


def test_nothing_is_claimed_of_a_gpu_that_hangs():
    signal = only(signals(sweep(gpu_in(GpuState.UNRESPONSIVE))))
    assert set(signal.fields.values()) == {None}
