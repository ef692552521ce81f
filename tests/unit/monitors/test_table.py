"""All monitors over one sweep."""

from tests.fakes.sweeps import BASELINE, gpu, gpu_in, sweep, unavailable

from sickbay.core.devices import Inventory
from sickbay.core.signals import Signal, is_declared
from sickbay.host.nvml.readings import GpuState, Sweep
from sickbay.monitors.known import Known
from sickbay.monitors.table import SWEEP_MONITORS


def judge(seen: Sweep, before: Sweep | None, expected: Inventory | None) -> list[Signal]:
    known = Known(previous=before, baseline=expected)
    return [signal for monitor in SWEEP_MONITORS.values() for signal in monitor.judge(seen, known)]


def test_a_healthy_gpu_gives_one_signal_of_each_kind():
    kinds = [signal.kind for signal in judge(sweep(gpu()), None, None)]
    assert sorted(kinds) == [
        "c2c",
        "clocks",
        "driver",
        "ecc",
        "fabric",
        "gpu_lost",
        "gpu_memory",
        "gpu_presence",
        "gpu_processes",
        "gpu_unresponsive",
        "inforom",
        "inventory",
        "mig",
        "modes",
        "monitor",
        "nvlink",
        "nvlink_errors",
        "pcie",
        "platform_info",
        "power",
        "recovery_action",
        "repair",
        "retired_pages",
        "row_banks",
        "row_remap",
        "sram",
        "temperature",
    ]


def test_every_signal_of_every_state_is_declared():
    for state in GpuState:
        seen = judge(sweep(gpu_in(state)), sweep(gpu()), BASELINE)
        assert all(is_declared(signal) for signal in seen)


def test_of_a_gpu_that_was_not_asked_no_field_is_claimed():
    for seen in (sweep(gpu_in(GpuState.UNSEEN)), unavailable("released", gpu_in(GpuState.UNSEEN))):
        about_it = [signal for signal in judge(seen, None, None) if signal.subject.pci]
        assert about_it
        assert {value for signal in about_it for value in signal.fields.values()} == {None}
