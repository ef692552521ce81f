"""How many of each GPU's NVLinks carry traffic, beside how many should, and how fast they are.

States: nvml.h, NVML_FI_DEV_NVLINK_GET_STATE. 1 is active and 2 asleep, which is a link that is well; 0 is
inactive, and 3 is active with its traffic disabled, which is as good as down.
"""

from collections.abc import Sequence

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import MODES, NVLINK_PEERS, NVLINK_STATES
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.known import Known
from sickbay.monitors.levels import level, seen

_UP = frozenset({1, 2})
_WITHOUT_TRAFFIC = 3
_SPEEDS = "nvlink_speeds_mbps"

States = Sequence[int | None]


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `nvlink` a GPU that has any, or should."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> tuple[Signal, ...]:
    states = gpu.values.get(NVLINK_STATES)
    expected = known.profile_of(gpu).nvlinks
    if states == () and not expected:
        return ()
    fields: dict[str, FieldValue] = {
        **(_counts(states) if isinstance(states, tuple) else dict.fromkeys(_COUNTS)),
        "in_mig": _in_mig(gpu, known),
        "expected_links": expected,
        **_versions(sweep, gpu, known),
        **_speeds(sweep, gpu, known, states if isinstance(states, tuple) else ()),
    }
    fields["missing"] = _missing(fields["active"], expected)
    return level(sweep, gpu, "nvlink", fields if gpu.values else dict.fromkeys(fields), of=(NVLINK_STATES,))


_COUNTS = ("links", "active", "inactive", "first_inactive", "without_traffic")


def _counts(states: States) -> dict[str, FieldValue]:
    down = [link for link, state in enumerate(states) if state is not None and state not in _UP]
    up = sum(state in _UP for state in states)
    idle = sum(state == _WITHOUT_TRAFFIC for state in states)
    # With a link unknown, one that is down is still down, but that none is cannot be said.
    certain = None not in states
    return {
        "links": len(states),
        "active": up if certain else None,
        "inactive": len(down) if certain or down else None,
        "first_inactive": down[0] if down else (-1 if certain else None),
        "without_traffic": idle if certain or idle else None,
    }


def _missing(active: FieldValue, expected: int | None) -> int | None:
    return max(0, expected - active) if isinstance(active, int) and expected is not None else None


def _in_mig(gpu: GpuSweep, known: Known) -> bool:
    """Modes are read each minute; a board that has no such mode is not in it."""
    modes = gpu if gpu.number("mig_mode") is not None else known.last_of(gpu, MODES)
    return modes is not None and modes.number("mig_mode") == 1


def _versions(sweep: Sweep, gpu: GpuSweep, known: Known) -> dict[str, FieldValue]:
    alike = [one.number("nvlink_version") for one in _siblings(sweep, gpu)]
    version = gpu.number("nvlink_version")
    by_profile = known.profile_of(gpu).nvlink_version
    return {
        "version": version,
        "expected_version": by_profile or max((each for each in alike if each), default=None),
    }


def _speeds(sweep: Sweep, gpu: GpuSweep, known: Known, states: States) -> dict[str, FieldValue]:
    """Speeds are read each hour, and mean something of links that are up: one that is down says 0."""
    own = [
        (speed, link)
        for link, speed in enumerate(_speeds_of(gpu, known))
        if speed and link < len(states) and states[link] in _UP
    ]
    alike = [speed for one in _siblings(sweep, gpu) for speed in _speeds_of(one, known) if speed]
    slowest = min(own, default=(None, None))
    return {
        "slowest_link": slowest[1],
        "slowest_speed": slowest[0],
        "expected_speed": max(alike, default=None),
    }


def _speeds_of(gpu: GpuSweep, known: Known) -> States:
    read = gpu if _SPEEDS in gpu.values else known.last_of(gpu, NVLINK_PEERS)
    speeds = read.values.get(_SPEEDS) if read is not None else None
    return speeds if isinstance(speeds, tuple) else ()


def _siblings(sweep: Sweep, gpu: GpuSweep) -> list[GpuSweep]:
    """The GPUs of this host with the same device id, this one among them."""
    device = gpu.text("pci_device_id")
    return [
        one for one in sweep.gpus if one.pci == gpu.pci or (device and one.text("pci_device_id") == device)
    ]
