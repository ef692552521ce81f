"""Pages of memory that the driver has taken out of use: what boards do that are older than row remapping."""

from sickbay.core.signals import Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import flag, level, seen

_OF = ("retired_single", "retired_double", "retired_pending")


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `retired_pages` a GPU that retires pages (before Ampere, with ECC)."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    single, double = gpu.number("retired_single"), gpu.number("retired_double")
    fields = {
        "single_bit": single,
        "double_bit": double,
        "total": single + double if single is not None and double is not None else None,
        "pending": flag(gpu.number("retired_pending")),
    }
    return level(sweep, gpu, "retired_pages", fields, of=_OF)
