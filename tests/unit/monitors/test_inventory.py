"""What the host has, against what it had."""

from tests.fakes.sweeps import BASELINE, PCI, UUID, gpu, gpu_in, only, sweep, unavailable

from sickbay.core.devices import Gpu
from sickbay.host.nvml.readings import GpuState, Sweep
from sickbay.host.pci_devices import PciGpu, PciView
from sickbay.monitors.inventory import inventory_of, signals
from sickbay.monitors.known import Known

BOTH = sweep(gpu(), gpu(pci="0000:43:00", slot=1))


def missing(seen: Sweep) -> object:
    return only(signals(seen, BASELINE)).fields["missing"]


def test_a_gpu_goes_missing_and_is_back():
    assert [missing(BOTH), missing(sweep(gpu())), missing(BOTH)] == [0, 1, 0]


def test_what_is_missing_is_unknown_while_the_driver_cannot_be_asked():
    assert [missing(BOTH), missing(unavailable("not loaded")), missing(BOTH)] == [0, None, 0]


def test_a_gpu_that_is_lost_hangs_or_is_left_out_still_shows():
    for state in (GpuState.LOST, GpuState.UNRESPONSIVE, GpuState.UNSEEN):
        assert missing(sweep(gpu_in(state), gpu(pci="0000:43:00", slot=1))) == 0


def test_a_gpu_that_the_driver_does_not_list_is_missing():
    assert missing(sweep(gpu_in(GpuState.ABSENT), gpu(pci="0000:43:00", slot=1))) == 1


def test_a_gpu_that_was_handed_to_a_virtual_machine_is_missed_by_nobody():
    handed = PciView(gpus=(PciGpu(pci="0000:43:00", driver="vfio-pci"),))
    assert only(signals(sweep(gpu()), BASELINE, handed)).fields["missing"] == 0


def test_nothing_is_expected_of_a_host_that_was_never_seen_well():
    fields = only(signals(BOTH, None)).fields
    assert fields == {"expected": None, "present": 2, "missing": None, "on_bus": None}


def test_a_sweep_that_broke_off_says_nothing():
    assert signals(sweep(gpu_in(GpuState.MISSED), broken_off="a call hung"), BASELINE) == ()


def test_the_inventory_holds_what_answered_as_it_describes_itself():
    inventory = inventory_of(sweep(gpu(), gpu_in(GpuState.LOST)), Known(), nvml="simulated")
    assert inventory.nvml == "simulated"
    assert inventory.gpus == (
        Gpu(
            uuid=UUID,
            pci=PCI,
            slot=0,
            name="NVIDIA H100 80GB HBM3",
            serial="1650523001122",
            vbios="96.00.89.00.01",
            pci_device_id="0x233010DE",
            memory_bytes=85520809984,
            nvlinks=18,
        ),
    )
