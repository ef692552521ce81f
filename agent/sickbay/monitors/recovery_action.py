"""What the driver asks for to bring a GPU back: polled, because Xid 154 tells only of changes."""

from sickbay.core.recovery_actions import by_number
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import RESET_REQUIRED
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen

_OF = "recovery_action"
_GPU_RESET = 1


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `recovery_action` a GPU whose driver knows the field, or that says it needs a reset."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    value = gpu.number(_OF)
    # A GPU that needs a reset answers so to every call, field 230 included ("the GPU requires a reset before
    # it can be used again": nvml.h of NVML_ERROR_RESET_REQUIRED).
    asks = RESET_REQUIRED in {gpu.code, *gpu.codes.values()}
    if not value and asks:
        value = _GPU_RESET
    action = None if value is None else by_number(value).value
    fields: dict[str, FieldValue] = {"value": value, "action": action}
    return level(sweep, gpu, "recovery_action", fields, of=() if asks else (_OF,))
