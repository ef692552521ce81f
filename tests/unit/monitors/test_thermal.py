"""Temperatures, beside the board's own threshold."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState
from sickbay.monitors.thermal import signals


def test_a_gpu_gets_hot_and_cools_down_again():
    seen = [only(signals(sweep(gpu(temperature=degrees)))).fields["gpu"] for degrees in (33, 91, 40)]
    assert seen == [33, 91, 40]


def test_the_threshold_and_the_memory_stand_beside_it():
    assert only(signals(sweep(gpu()))).fields == {"gpu": 33, "memory": 41, "slowdown_at": 87}


def test_a_temperature_that_cannot_be_had_is_unknown_until_it_can():
    states = (gpu(), gpu(codes={"temperature": 4}), gpu())
    assert [only(signals(sweep(state))).fields["gpu"] for state in states] == [33, None, 33]


def test_a_gpu_that_is_left_out_has_no_temperature_and_no_claim_of_one():
    signal = only(signals(sweep(gpu_in(GpuState.UNSEEN))))
    assert signal.fields == {"gpu": None, "memory": None, "slowdown_at": None}


def test_memory_at_zero_degrees_is_a_board_that_cannot_tell():
    assert only(signals(sweep(gpu(hbm_temperature=0)))).fields["memory"] is None


def test_a_gpu_that_was_missed_for_another_says_nothing():
    assert signals(sweep(gpu_in(GpuState.MISSED))) == ()


def test_a_gpu_without_a_sensor_says_nothing():
    assert signals(sweep(gpu(codes={"temperature": 3}))) == ()
