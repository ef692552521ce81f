"""The chip-to-chip links of each GPU to its Grace CPU: which are up, and what they fail at.

States and counters: nvml.h, NVML_FI_DEV_C2C_LINK_*; a link is 0 inactive or 1 active.
"""

from collections.abc import Mapping

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.growth import Growth, growth, together
from sickbay.monitors.known import Known
from sickbay.monitors.levels import level, seen

_COUNT, _STATES = "c2c_links", "c2c_states"
_COUNTERS: Mapping[str, str] = {
    "new_interrupts": "c2c_interrupts",
    "new_replays": "c2c_replays",
    "new_replays_back_to_back": "c2c_replays_back_to_back",
}


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `c2c` a GPU that has such links."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> tuple[Signal, ...]:
    if gpu.number(_COUNT) == 0:
        return ()
    expected = known.profile_of(gpu).c2c_links if gpu.values else None
    states = _states(gpu)
    active = states["active"]
    fields: dict[str, FieldValue] = {
        **states,
        "expected_links": expected,
        "missing": max(0, expected - active) if isinstance(active, int) and expected is not None else None,
        **_errors(growth(sweep, gpu, known.previous)),
    }
    return level(sweep, gpu, "c2c", fields, of=(_COUNT, _STATES))


def _states(gpu: GpuSweep) -> dict[str, FieldValue]:
    states = gpu.values.get(_STATES)
    if not isinstance(states, tuple):
        return {"links": gpu.number(_COUNT), **dict.fromkeys(("active", "inactive", "first_inactive"))}
    down = [link for link, state in enumerate(states) if state == 0]
    up = sum(state is not None and state != 0 for state in states)
    certain = None not in states
    return {
        "links": gpu.number(_COUNT),
        "active": up if certain else None,
        "inactive": len(down) if certain or down else None,
        "first_inactive": down[0] if down else (-1 if certain else None),
    }


def _errors(grew: Growth) -> dict[str, FieldValue]:
    gained = {name: grew.of_each(counter) for name, counter in _COUNTERS.items()}
    links = max((len(each) for each in gained.values()), default=0)
    by_link = [sum(each[link] or 0 for each in gained.values() if link < len(each)) for link in range(links)]
    worst = max(range(links), key=lambda link: by_link[link], default=None)
    sums: dict[str, FieldValue] = {name: together(each) for name, each in gained.items()}
    if worst is not None and by_link[worst]:
        return {**sums, "worst_link": worst}
    return {**sums, "worst_link": None if any(each is None for each in sums.values()) else -1}
