"""The board's own memory of its configuration, whose checksums the driver verifies when it is asked to.

Read hourly, because validating reads the flash (DCGM asks no oftener either).
"""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import flag, level, seen


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `inforom` a GPU whose InfoROM can be validated."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields: dict[str, FieldValue] = {
        "valid": flag(gpu.number("inforom_valid")),
        "version": gpu.text("inforom_version") or None,
        "checksum": gpu.number("inforom_checksum"),
    }
    return level(sweep, gpu, "inforom", fields, of=("inforom_valid",))
