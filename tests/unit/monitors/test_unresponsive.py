"""Calls that never came back."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState, Hang
from sickbay.monitors.unresponsive import signals

HANG = Hang(call="nvmlDeviceGetTemperatureV", waited=5.21349)


def test_a_call_hangs_and_the_gpu_answers_again():
    states = (gpu(), gpu_in(GpuState.UNRESPONSIVE, hang=HANG), gpu())
    flags = [only(signals(sweep(state))).fields["unresponsive"] for state in states]
    assert flags == [False, True, False]


def test_the_call_and_how_long_it_was_waited_for_are_told():
    fields = only(signals(sweep(gpu_in(GpuState.UNRESPONSIVE, hang=HANG)))).fields
    assert fields == {"unresponsive": True, "call": HANG.call, "waited": 5.213}


def test_of_a_gpu_that_was_not_asked_it_is_unknown():
    states = (gpu(), gpu_in(GpuState.UNSEEN, because="Xid 79"), gpu())
    flags = [only(signals(sweep(state))).fields["unresponsive"] for state in states]
    assert flags == [False, None, False]


def test_a_gpu_that_says_it_is_lost_or_refuses_has_answered():
    for state in (gpu_in(GpuState.LOST, code=15), gpu_in(GpuState.UNSEEN, code=4)):
        assert only(signals(sweep(state))).fields["unresponsive"] is False
