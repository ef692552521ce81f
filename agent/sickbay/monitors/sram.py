"""Errors in the GPU's SRAM, as the driver counts them for whoever decides on a replacement.

Only root is told (nvmlDeviceGetSramEccErrorStatus). Without that right everything here is unknown, the flag
that makes a board a case for its vendor included; that is never taken for health.
"""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import flag, level, seen

_THRESHOLD = "sram_threshold_exceeded"

_COUNTS = {
    "parity": "sram_parity_volatile",
    "sec_ded": "sram_sec_ded_volatile",
    "corrected": "sram_corrected_status_volatile",
    "parity_aggregate": "sram_parity_aggregate",
    "sec_ded_aggregate": "sram_sec_ded_aggregate",
    "corrected_aggregate": "sram_corrected_status_aggregate",
    "l2": "sram_bucket_l2",
    "sm": "sram_bucket_sm",
    "mcu": "sram_bucket_mcu",
    "pcie": "sram_bucket_pcie",
    "other": "sram_bucket_other",
}


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `sram` a GPU that keeps such counts at all (Ampere and later, with ECC)."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields: dict[str, FieldValue] = {name: gpu.number(reading) for name, reading in _COUNTS.items()}
    fields["threshold_exceeded"] = flag(gpu.number(_THRESHOLD))
    return level(sweep, gpu, "sram", fields, of=(*_COUNTS.values(), _THRESHOLD))
