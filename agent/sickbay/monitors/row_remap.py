"""Rows of memory that the GPU has replaced by spares, is about to, or no longer can."""

from sickbay.core.signals import Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import flag, level, seen

_OF = ("remapped_correctable", "remapped_uncorrectable", "remap_pending", "remap_failure")


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `row_remap` a GPU that remaps rows at all (Ampere and later, without MIG instances)."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    correctable, uncorrectable = gpu.number("remapped_correctable"), gpu.number("remapped_uncorrectable")
    fields = {
        "correctable": correctable,
        "uncorrectable": uncorrectable,
        "total": None if correctable is None or uncorrectable is None else correctable + uncorrectable,
        "pending": flag(gpu.number("remap_pending")),
        "failure": flag(gpu.number("remap_failure")),
    }
    return level(sweep, gpu, "row_remap", fields, of=_OF)
