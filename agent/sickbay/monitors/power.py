"""What each GPU draws, and how much it may. The power brake is a reason of its clocks (clocks.py)."""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen

# NVML_FI_DEV_POWER_* of nvml.h, in milliwatts.
_MILLIWATTS = {
    "instant": "power_instant_mw",
    "average": "power_average_mw",
    "limit": "power_limit_mw",
    "default_limit": "power_default_limit_mw",
    "requested_limit": "power_requested_limit_mw",
    "min_limit": "power_min_limit_mw",
    "max_limit": "power_max_limit_mw",
}


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `power` a GPU, in watts."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields: dict[str, FieldValue] = {name: _watts(gpu, reading) for name, reading in _MILLIWATTS.items()}
    return level(sweep, gpu, "power", fields, of=tuple(_MILLIWATTS.values()))


def _watts(gpu: GpuSweep, reading: str) -> float | None:
    # A GPU that answers draws something: exactly nothing is a sensor that cannot tell.
    return milliwatts / 1000 if (milliwatts := gpu.number(reading)) else None
