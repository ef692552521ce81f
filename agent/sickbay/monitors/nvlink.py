"""How many of each GPU's NVLinks carry traffic.

States: nvml.h, NVML_FI_DEV_NVLINK_GET_STATE. 1 is active and 2 asleep, which is a link that is well; 0 is
inactive, and 3 is active with its traffic disabled, which is as good as down.
"""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import NVLINK_STATES
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen

_UP = frozenset({1, 2})


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `nvlink` a GPU that has any."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu))


def _of(sweep: Sweep, gpu: GpuSweep) -> tuple[Signal, ...]:
    states = gpu.values.get(NVLINK_STATES)
    if states == ():
        return ()
    fields = _fields(states) if isinstance(states, tuple) else dict.fromkeys(_NAMES)
    return level(sweep, gpu, "nvlink", fields, of=(NVLINK_STATES,))


_NAMES = ("links", "active", "inactive", "first_inactive")


def _fields(states: tuple[int | None, ...]) -> dict[str, FieldValue]:
    down = [link for link, state in enumerate(states) if state is not None and state not in _UP]
    up = sum(state in _UP for state in states)
    # With a link unknown, one that is down is still down, but that none is cannot be said.
    certain = None not in states
    return {
        "links": len(states),
        "active": up if certain else None,
        "inactive": len(down) if certain or down else None,
        "first_inactive": down[0] if down else (-1 if certain else None),
    }
