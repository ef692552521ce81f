"""Each slot, by what the driver lists, what the bus shows and what used to be there."""

from dataclasses import replace

from tests.fakes.sweeps import BASELINE, PCI, UUID, gpu, gpu_in, sweep, unavailable

from sickbay.core.signals import Signal, is_declared
from sickbay.host.kernel_view import KernelView
from sickbay.host.nvml.readings import GpuState, Sweep
from sickbay.host.pci_devices import PciGpu, PciView
from sickbay.monitors.known import Known
from sickbay.monitors.presence import signals

SECOND = "0000:43:00"
BUS = PciView(gpus=(PciGpu(pci=PCI, driver="nvidia"), PciGpu(pci=SECOND, driver="")))


def slots(seen: Sweep, known: Known) -> dict[str, Signal]:
    found = signals(seen, known)
    assert all(is_declared(signal) for signal in found)
    return {signal.subject.pci: signal for signal in found}


def on(bus: PciView | None) -> Known:
    return Known(kernel=KernelView(pci=bus))


def test_a_gpu_on_the_bus_that_the_driver_does_not_list_is_told_by_its_address():
    fields = slots(sweep(gpu()), on(BUS))[SECOND].fields
    assert (fields["on_bus"], fields["listed"], fields["driver"]) == (True, False, "")


def test_a_gpu_that_is_expected_and_shows_nowhere_keeps_its_name():
    known = Known(baseline=BASELINE, kernel=KernelView(pci=PciView(gpus=BUS.gpus[:1])))
    gone = slots(sweep(gpu()), known)[SECOND]
    assert (gone.fields["on_bus"], gone.fields["listed"], gone.fields["expected"]) == (False, False, True)
    assert gone.subject.gpu_uuid == "GPU-43"


def test_another_uuid_in_the_slot_is_told_with_the_old_one():
    known = Known(baseline=replace(BASELINE, gpus=(replace(BASELINE.gpus[0], uuid="GPU-old"),)))
    fields = slots(sweep(gpu()), known)[PCI].fields
    assert (fields["replaced"], fields["uuid_before"], fields["uuid"]) == (True, "GPU-old", UUID)


def test_a_lost_gpu_is_not_taken_for_a_replaced_one():
    fields = slots(sweep(gpu_in(GpuState.LOST)), Known(baseline=BASELINE))[PCI].fields
    assert (fields["replaced"], fields["listed"]) == (None, True)


def test_without_a_look_at_the_bus_it_is_unknown():
    assert slots(sweep(gpu()), on(None))[PCI].fields["on_bus"] is None


def test_nothing_is_said_to_be_unlisted_while_a_gpu_has_no_address_yet():
    seen = sweep(gpu(), replace(gpu_in(GpuState.UNSEEN), pci="", slot=1))
    assert slots(seen, on(BUS))[SECOND].fields["listed"] is None


def test_nothing_is_said_to_be_unlisted_while_the_driver_lists_more_than_was_asked():
    seen = replace(sweep(gpu()), count=2)
    assert slots(seen, on(BUS))[SECOND].fields["listed"] is None


def test_what_the_driver_lists_is_unknown_while_it_cannot_be_asked():
    assert slots(unavailable("not loaded"), on(BUS))[SECOND].fields["listed"] is None


def test_a_slot_that_was_handed_to_a_guest_or_emptied_is_spoken_of_once_more():
    bus = PciView(gpus=(PciGpu(pci=SECOND, driver="vfio-pci"),), gone=("0000:52:00",))
    seen = slots(sweep(gpu()), on(bus))
    assert [seen[pci].fields["on_bus"] for pci in (SECOND, "0000:52:00")] == [False, False]


def test_a_sweep_that_broke_off_says_nothing():
    assert signals(sweep(gpu(), broken_off="a call hung"), on(BUS)) == ()
