"""The modes that a GPU runs in: persistence, ECC, compute, virtualization, confidential computing.

Numbers: nvml.h, nvmlComputeMode_t and nvmlGpuVirtualizationMode_t.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import flag, level, seen

_OF = ("persistence_mode", "ecc_mode", "ecc_mode_pending", "compute_mode", "virtualization_mode", "cc_ready")

_COMPUTE: Mapping[int, str] = MappingProxyType(
    {0: "DEFAULT", 1: "EXCLUSIVE_THREAD", 2: "PROHIBITED", 3: "EXCLUSIVE_PROCESS"}
)
_VIRTUALIZATION: Mapping[int, str] = MappingProxyType(
    {0: "NONE", 1: "PASSTHROUGH", 2: "VGPU", 3: "HOST_VGPU", 4: "HOST_VSGA"}
)


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `modes` a GPU."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields: dict[str, FieldValue] = {
        "persistence": flag(gpu.number("persistence_mode")),
        "ecc": flag(gpu.number("ecc_mode")),
        "ecc_pending": flag(gpu.number("ecc_mode_pending")),
        "compute_mode": _word(gpu.number("compute_mode"), _COMPUTE),
        "virtualization": _word(gpu.number("virtualization_mode"), _VIRTUALIZATION),
        "confidential_ready": flag(gpu.number("cc_ready")),
    }
    return level(sweep, gpu, "modes", fields, of=_OF)


def _word(number: int | None, words: Mapping[int, str]) -> str | None:
    """The word of nvml.h; the bare number for one that a newer driver has."""
    return None if number is None else words.get(number, str(number))
