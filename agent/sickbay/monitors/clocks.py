"""Why each GPU's clocks are where they are: the reasons that are faults, and those that are not.

Bits: nvml.h, nvmlClocksEventReason*.
"""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen

_BITS = (
    ("idle", 0x1),
    ("sw_power_cap", 0x4),
    ("hw_slowdown", 0x8),
    ("sw_thermal", 0x20),
    ("hw_thermal", 0x40),
    ("hw_power_brake", 0x80),
)


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `clocks` a GPU."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    reasons = gpu.number("clocks_reasons")
    fields: dict[str, FieldValue] = {
        name: None if reasons is None else bool(reasons & bit) for name, bit in _BITS
    }
    return level(sweep, gpu, "clocks", fields, of=("clocks_reasons",))
