"""GPUs about which a driver call never came back."""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.monitors.levels import level, seen


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `gpu_unresponsive` a GPU. Of a GPU that was not asked, whether it would answer is unknown."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    fields: dict[str, FieldValue] = {"unresponsive": False, "call": "", "waited": 0.0}
    if gpu.state is GpuState.UNSEEN and not gpu.code:
        fields = dict.fromkeys(fields)
    elif gpu.state is GpuState.UNRESPONSIVE and gpu.hang is not None:
        waited = round(gpu.hang.waited, 3)
        fields = {"unresponsive": True, "call": gpu.hang.call, "waited": waited}
    return level(sweep, gpu, "gpu_unresponsive", fields)
