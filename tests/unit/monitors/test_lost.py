"""GPUs that are gone."""

from dataclasses import replace

from tests.fakes.sweeps import BASELINE, gpu, gpu_in, only, sweep, unavailable

from sickbay.core.signals import is_declared
from sickbay.host.nvml.readings import GpuState
from sickbay.host.pci_devices import PciGpu, PciView
from sickbay.monitors.lost import signals


def test_a_gpu_is_lost_and_answers_again():
    states = (gpu(), gpu_in(GpuState.LOST, code=15), gpu())
    fields = [only(signals(sweep(state), None)).fields for state in states]
    assert [(f["lost"], f["how"]) for f in fields] == [(False, "nvml"), (True, "nvml"), (False, "nvml")]


def test_a_gpu_that_the_driver_does_not_list_is_missing():
    fields = only(signals(sweep(gpu_in(GpuState.ABSENT, code=6)), None)).fields
    assert (fields["lost"], fields["how"]) == (True, "missing")


def test_of_a_gpu_that_is_left_out_or_hangs_it_is_unknown():
    for state in (GpuState.UNSEEN, GpuState.UNRESPONSIVE):
        assert only(signals(sweep(gpu_in(state)), None)).fields["lost"] is None


def test_a_gpu_of_the_healthy_host_that_is_in_no_list_is_missing_under_its_old_name():
    here, gone = signals(sweep(gpu()), BASELINE)
    assert here.fields["lost"] is False
    assert (gone.subject.pci, gone.subject.gpu_uuid) == ("0000:43:00", "GPU-43")
    assert (gone.fields["lost"], gone.fields["how"]) == (True, "missing")
    assert is_declared(gone)


def test_a_gpu_that_was_handed_to_a_virtual_machine_is_not_lost():
    handed = PciView(gpus=(PciGpu(pci="0000:43:00", driver="vfio-pci"),))
    _, listed_no_more = signals(sweep(gpu()), BASELINE, handed)
    assert (listed_no_more.fields["lost"], listed_no_more.fields["how"]) == (False, "passed_on")
    absent = sweep(replace(gpu_in(GpuState.ABSENT), pci="0000:43:00"))
    assert signals(absent, None, handed)[0].fields["lost"] is False
    ours = PciView(gpus=(PciGpu(pci="0000:43:00", driver="nvidia"),))
    assert signals(absent, None, ours)[0].fields["lost"] is True


def test_nothing_is_missing_while_nothing_can_be_asked():
    assert signals(unavailable("the driver is not loaded"), BASELINE) == ()
    assert signals(sweep(gpu_in(GpuState.MISSED), broken_off="a call hung"), BASELINE) == ()
