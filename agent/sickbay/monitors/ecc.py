"""Memory errors that ECC corrected or could not, where they were, and how fast the corrected ones come."""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.growth import growth
from sickbay.monitors.levels import level, seen

_COUNTS = {
    "corrected": "ecc_corrected_volatile",
    "uncorrected": "ecc_uncorrected_volatile",
    "corrected_aggregate": "ecc_corrected_aggregate",
    "uncorrected_aggregate": "ecc_uncorrected_aggregate",
    "dram_corrected": "dram_corrected",
    "dram_uncorrected": "dram_uncorrected",
    "sram_corrected": "sram_corrected",
    "sram_uncorrected": "sram_uncorrected",
    "dram_corrected_aggregate": "dram_corrected_aggregate",
    "dram_uncorrected_aggregate": "dram_uncorrected_aggregate",
    "sram_corrected_aggregate": "sram_corrected_aggregate",
    "sram_uncorrected_aggregate": "sram_uncorrected_aggregate",
}

_TOTALS = tuple(reading for reading in _COUNTS.values() if reading.startswith("ecc_"))
"""A board that does not count these has no ECC; most locations are unknown to most boards."""

_RATES = {
    "corrected_rate": "ecc_corrected_volatile",
    "uncorrected_rate": "ecc_uncorrected_volatile",
    "dram_corrected_rate": "dram_corrected",
    "sram_corrected_rate": "sram_corrected",
}


def signals(sweep: Sweep, previous: Sweep | None) -> tuple[Signal, ...]:
    """One `ecc` a GPU. The rates are unknown until two sweeps in a row have counted on the same GPU."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, previous))


def _of(sweep: Sweep, gpu: GpuSweep, previous: Sweep | None) -> tuple[Signal, ...]:
    grew = growth(sweep, gpu, previous)
    counts: dict[str, FieldValue] = {name: gpu.number(reading) for name, reading in _COUNTS.items()}
    rates = {name: grew.rate(reading) for name, reading in _RATES.items()}
    return level(sweep, gpu, "ecc", {**counts, **rates}, of=_TOTALS)
