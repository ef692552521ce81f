"""How a GPU is cut into MIG devices, against how it was when the host was well.

MIG mode outlives a reboot and the devices do not: a GPU that comes up in MIG mode without any runs nothing.
"""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.monitors.known import Known
from sickbay.monitors.levels import flag, level, seen

_OF = ("mig_mode", "mig_mode_pending")


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `mig` a GPU that can be cut at all."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> tuple[Signal, ...]:
    before = known.baseline.by_pci(gpu.pci) if known.baseline is not None else None
    expected = before.mig if before is not None and before.uuid == gpu.uuid else None
    layout = _layout(gpu)
    fields: dict[str, FieldValue] = {
        "enabled": flag(gpu.number("mig_mode")),
        "enabled_pending": flag(gpu.number("mig_mode_pending")),
        "devices": 0 if gpu.number("mig_mode") == 0 else gpu.number("mig_devices"),
        "max_devices": gpu.number("mig_max_devices"),
        "layout": layout,
        "expected_layout": expected,
        "changed": None if layout is None or expected is None else layout != expected,
    }
    return level(sweep, gpu, "mig", fields, of=_OF)


def _layout(gpu: GpuSweep) -> str | None:
    """The profiles; empty for a GPU in one piece, None while it is not known."""
    if gpu.state is not GpuState.READ or gpu.number("mig_mode") is None:
        return None
    if gpu.number("mig_mode") == 0 or gpu.number("mig_devices") == 0:
        return ""
    return gpu.text("mig_profiles") or None
