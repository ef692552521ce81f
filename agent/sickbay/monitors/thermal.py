"""How hot each GPU and its memory are, and how far that is from where they are slowed down or shut off.

From Ada on the driver's own scale, T.Limit, comes first: the margin counts down to 0 where the driver starts
to hold the clocks down, and the thresholds of the hardware are at -2 or -8 on it (fields 193 and 194, signed;
nvml.h prefers them to the absolute ones). On older boards the same distances come from the thresholds in C.
"""

from statistics import median_low

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen

_OF = ("temperature", "hbm_temperature")
_LEAST_SIBLINGS = 3
"""Fewer than that have no median worth the name."""


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `temperature` a GPU, in degrees Celsius."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    heat, memory = gpu.number("temperature"), _memory(gpu)
    fields: dict[str, FieldValue] = {
        "gpu": heat,
        "memory": memory,
        "slowdown_at": gpu.number("slowdown_at"),
        "shutdown_at": gpu.number("shutdown_at"),
        "gpu_max_at": gpu.number("gpu_max_at"),
        "memory_max_at": gpu.number("memory_max_at"),
        "margin": _margin(gpu, heat),
        "slowdown_margin": _hardware(gpu, "tlimit_slowdown", "slowdown_at"),
        "shutdown_margin": _hardware(gpu, "tlimit_shutdown", "shutdown_at"),
        "memory_margin": _left(gpu.number("memory_max_at"), memory),
        "above_siblings": _above_siblings(sweep, gpu, heat),
    }
    return level(sweep, gpu, "temperature", fields, of=_OF)


def _memory(gpu: GpuSweep) -> int | None:
    # Boards without HBM that accept the field say 0.
    return gpu.number("hbm_temperature") or None


def _margin(gpu: GpuSweep, heat: int | None) -> int | None:
    told = gpu.number("margin")
    if told is not None:
        return told
    nearest = [at for at in (gpu.number("gpu_max_at"), gpu.number("slowdown_at")) if at]
    return _left(min(nearest, default=None), heat)


def _hardware(gpu: GpuSweep, tlimit: str, absolute: str) -> int | None:
    threshold, margin = gpu.number(tlimit), gpu.number("margin")
    if threshold is not None and margin is not None:
        return margin - threshold
    return _left(gpu.number(absolute), gpu.number("temperature"))


def _left(threshold: int | None, heat: int | None) -> int | None:
    # A threshold of 0 is one that the board does not have.
    return threshold - heat if threshold and heat is not None else None


def _above_siblings(sweep: Sweep, gpu: GpuSweep, heat: int | None) -> int | None:
    others = [other.number("temperature") for other in sweep.gpus if other.pci != gpu.pci]
    known = [degrees for degrees in others if degrees is not None]
    return heat - median_low(known) if heat is not None and len(known) >= _LEAST_SIBLINGS else None
