"""How hot each GPU and its memory are, beside the temperature at which its hardware slows it down."""

from sickbay.core.signals import Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `temperature` a GPU, in degrees Celsius."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields = {
        "gpu": gpu.number("temperature"),
        # Boards without HBM that accept the field say 0.
        "memory": gpu.number("hbm_temperature") or None,
        "slowdown_at": gpu.number("slowdown_at"),
    }
    return level(sweep, gpu, "temperature", fields, of=("temperature",))
