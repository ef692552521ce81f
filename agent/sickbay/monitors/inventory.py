"""What the host has: every GPU that answers, and how many of those that it once had do not show."""

from sickbay.core.devices import NODE, Gpu, Inventory
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import MODES
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.host.pci_devices import PciView
from sickbay.monitors.known import Known
from sickbay.monitors.levels import SOURCE


def signals(sweep: Sweep, expected: Inventory | None, bus: PciView | None = None) -> tuple[Signal, ...]:
    """One `inventory` for the node. A GPU that is lost or hangs still shows; one in no list does not.

    What is missing is unknown before the host was ever seen well, and while the driver cannot be asked.
    """
    if sweep.broken_off:
        return ()
    fields: dict[str, FieldValue] = {
        "expected": None if expected is None else len(expected.gpus),
        "present": None if sweep.unavailable is not None else sweep.count,
        "missing": None if sweep.unavailable is not None else _missing(sweep, expected, bus),
        "on_bus": None if bus is None else len(bus.own),
    }
    return (Signal(kind="inventory", subject=NODE, at=sweep.at, fields=fields, sources=(SOURCE,)),)


def inventory_of(sweep: Sweep, known: Known, *, nvml: str, kernel: str = "") -> Inventory:
    """The GPUs that answered, as they describe themselves. `nvml` names the source of it."""
    return Inventory(
        gpus=tuple(_gpu(gpu, known) for gpu in sweep.gpus if gpu.state is GpuState.READ),
        driver_version=sweep.driver_version,
        nvml_version=sweep.nvml_version,
        nvml=nvml,
        kernel=kernel,
    )


def _missing(sweep: Sweep, expected: Inventory | None, bus: PciView | None) -> int | None:
    if expected is None:
        return None
    found = {gpu.pci for gpu in sweep.gpus if gpu.state is not GpuState.ABSENT}
    missing = [gpu.pci for gpu in expected.gpus if gpu.pci not in found]
    return sum(bus is None or not bus.has_passed_on(pci) for pci in missing)


def _gpu(gpu: GpuSweep, known: Known) -> Gpu:
    modes = known.last_of(gpu, MODES)
    return Gpu(
        uuid=gpu.uuid,
        pci=gpu.pci,
        slot=gpu.slot,
        name=gpu.text("name"),
        serial=gpu.text("serial"),
        vbios=gpu.text("vbios"),
        pci_device_id=gpu.text("pci_device_id"),
        memory_bytes=gpu.number("memory_bytes") or 0,
        nvlinks=gpu.number("nvlink_count") or 0,
        mig=modes.text("mig_profiles") if modes is not None else "",
    )
