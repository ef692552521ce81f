"""What is left to repair a GPU's memory with, what waits for a reset to be repaired, and what cannot be."""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import flag, level, seen

# nvmlRowRemapperHistogramValues_t: banks by the spare rows that they have left.
_BANKS = {
    "full": "remap_banks_max",
    "high": "remap_banks_high",
    "partial": "remap_banks_partial",
    "low": "remap_banks_low",
    "none": "remap_banks_none",
}

# nvmlDeviceGetRepairStatus (Ampere and later), nvmlDeviceGetUnrepairableMemoryFlag_v1 (Hopper and later).
_FLAGS = {
    "channel_pending": "channel_repair_pending",
    "tpc_pending": "tpc_repair_pending",
    "unrepairable_memory": "unrepairable_memory",
}


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `row_banks` and one `repair` a GPU that can be repaired in such ways."""
    return tuple(signal for gpu in seen(sweep) for signal in (*_row_banks(sweep, gpu), *_repairs(sweep, gpu)))


def _row_banks(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields = {name: gpu.number(reading) for name, reading in _BANKS.items()}
    return level(sweep, gpu, "row_banks", fields, of=tuple(_BANKS.values()))


def _repairs(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields: dict[str, FieldValue] = {name: flag(gpu.number(reading)) for name, reading in _FLAGS.items()}
    return level(sweep, gpu, "repair", fields, of=tuple(_FLAGS.values()))
