"""GPUs that the driver says are lost, or no longer lists."""

from sickbay.core.devices import Inventory, gpu_subject
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.host.pci_devices import PciView
from sickbay.monitors.levels import SOURCE, level, seen

_PASSED_ON = "passed_on"

_LOST = {
    GpuState.READ: (False, "nvml"),
    GpuState.LOST: (True, "nvml"),
    GpuState.ABSENT: (True, "missing"),
}


def signals(sweep: Sweep, expected: Inventory | None, bus: PciView | None = None) -> tuple[Signal, ...]:
    """One `gpu_lost` a GPU that the driver was asked about, and one a GPU that the host once had.

    One that the bus shows with a virtual machine is listed no more, and not lost.
    """
    told = [
        signal for gpu in seen(sweep) for signal in level(sweep, gpu, "gpu_lost", _fields(*_of(gpu, bus)))
    ]
    return (*told, *_without_trace(sweep, expected, bus))


def _of(gpu: GpuSweep, bus: PciView | None) -> tuple[bool | None, str | None]:
    if gpu.state is GpuState.ABSENT and _is_passed_on(gpu.pci, bus):
        return False, _PASSED_ON
    return _LOST.get(gpu.state, (None, None))


def _is_passed_on(pci: str, bus: PciView | None) -> bool:
    return bus is not None and bus.has_passed_on(pci)


def _without_trace(sweep: Sweep, expected: Inventory | None, bus: PciView | None) -> list[Signal]:
    # A GPU that the driver lists no more answers to no address, and so is in no sweep begun after a boot.
    if expected is None or not sweep.complete:
        return []
    return [
        Signal(
            kind="gpu_lost",
            subject=gpu_subject(gpu),
            at=sweep.at,
            fields=_fields(*((False, _PASSED_ON) if _is_passed_on(gpu.pci, bus) else (True, "missing"))),
            sources=(SOURCE,),
        )
        for gpu in expected.gpus
        if sweep.by_pci(gpu.pci) is None
    ]


def _fields(lost: bool | None, how: str | None) -> dict[str, FieldValue]:  # noqa: FBT001 - a field's value
    return {"lost": lost, "how": how}
