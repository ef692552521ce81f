"""Trouble of the watching is never the hardware's."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep, unavailable

from sickbay.host.nvml.readings import GpuState, Hang
from sickbay.monitors.driver_access import signals, trouble


def test_events_fall_silent_and_are_heard_again():
    seen = (sweep(gpu()), sweep(gpu(), deaf="the driver's wait returned UNKNOWN"), sweep(gpu()))
    assert [only(signals(one)).fields["healthy"] for one in seen] == [True, False, True]


def test_a_driver_that_is_not_loaded_is_in_the_way_of_everything():
    seen = unavailable("nvmlInitWithFlags returned DRIVER_NOT_LOADED", gpu_in(GpuState.UNSEEN))
    assert trouble(seen) == "nvmlInitWithFlags returned DRIVER_NOT_LOADED"
    assert only(signals(seen)).fields["detail"] == "nvmlInitWithFlags returned DRIVER_NOT_LOADED"


def test_a_gpu_that_may_not_be_opened_is_our_trouble_and_named():
    refused = gpu_in(GpuState.UNSEEN, because="NO_PERMISSION", code=4)
    assert trouble(sweep(refused)) == "0000:1b:00: NO_PERMISSION"


def test_a_gpu_that_is_left_out_or_hangs_is_no_trouble_of_ours():
    hung = gpu_in(GpuState.UNRESPONSIVE, hang=Hang(call="nvmlDeviceGetUUID", waited=5.0))
    assert trouble(sweep(gpu_in(GpuState.UNSEEN, because="Xid 79"))) == ""
    assert trouble(sweep(hung, gpu_in(GpuState.MISSED), broken_off="a call hung")) == ""


def test_a_worker_that_died_over_no_gpu_is_our_trouble():
    seen = sweep(gpu_in(GpuState.MISSED), broken_off="the worker has ended by signal 9")
    assert trouble(seen) == "the worker has ended by signal 9"
