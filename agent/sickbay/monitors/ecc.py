"""Memory errors that ECC corrected or could not, and how fast the corrected ones come."""

from sickbay.core.signals import Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen

_CORRECTED = "ecc_corrected_volatile"
_OF = (_CORRECTED, "ecc_uncorrected_volatile", "ecc_corrected_aggregate", "ecc_uncorrected_aggregate")


def signals(sweep: Sweep, previous: Sweep | None) -> tuple[Signal, ...]:
    """One `ecc` a GPU. The rate is unknown until two sweeps in a row have counted on the same GPU."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, previous))


def _of(sweep: Sweep, gpu: GpuSweep, previous: Sweep | None) -> tuple[Signal, ...]:
    fields = {
        "corrected": gpu.number(_CORRECTED),
        "uncorrected": gpu.number("ecc_uncorrected_volatile"),
        "corrected_aggregate": gpu.number("ecc_corrected_aggregate"),
        "uncorrected_aggregate": gpu.number("ecc_uncorrected_aggregate"),
        "corrected_rate": _rate(sweep, gpu, previous),
    }
    return level(sweep, gpu, "ecc", fields, of=_OF)


def _rate(sweep: Sweep, gpu: GpuSweep, previous: Sweep | None) -> float | None:
    before = previous.by_pci(gpu.pci) if previous is not None else None
    if previous is None or before is None or before.uuid != gpu.uuid:
        return None
    then, now = before.number(_CORRECTED), gpu.number(_CORRECTED)
    seconds = sweep.at.mono - previous.at.mono
    # A counter that went back was reset, by a GPU reset or a driver load: what it counted since is unknown.
    if then is None or now is None or now < then or seconds <= 0:
        return None
    return (now - then) / seconds
