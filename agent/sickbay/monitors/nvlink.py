"""How many of each GPU's NVLinks carry traffic, beside how many should, and how fast they are.

States: nvml.h, NVML_FI_DEV_NVLINK_GET_STATE. 1 is active and 2 asleep, which is a link that is well; 0 is
inactive, and 3 is active with its traffic disabled, which is as good as down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    alike = _alike(sweep, known)
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known, alike[_kind(gpu)]))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known, best: "_Best") -> tuple[Signal, ...]:
    states = gpu.values.get(NVLINK_STATES)
    expected = known.profile_of(gpu).nvlinks
    if states == () and not expected:
        return ()
    fields: dict[str, FieldValue] = {
        **(_counts(states) if isinstance(states, tuple) else dict.fromkeys(_COUNTS)),
        "in_mig": _in_mig(gpu, known),
        "expected_links": expected,
        "version": gpu.number("nvlink_version"),
        "expected_version": known.profile_of(gpu).nvlink_version or best.version,
        **_slowest(gpu, known, states if isinstance(states, tuple) else ()),
        "expected_speed": best.speed,
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


def _slowest(gpu: GpuSweep, known: Known, states: States) -> dict[str, FieldValue]:
    """Speeds are read each hour, and mean something of links that are up: one that is down says 0."""
    own = [
        (speed, link)
        for link, (speed, state) in enumerate(zip(_speeds_of(gpu, known), states, strict=False))
        if speed and state in _UP
    ]
    speed, link = min(own, default=(None, None))
    return {"slowest_link": link, "slowest_speed": speed}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Best:
    """The highest that any GPU of a kind on this host has."""

    version: int | None = None
    speed: int | None = None


def _alike(sweep: Sweep, known: Known) -> Mapping[str, _Best]:
    best: dict[str, _Best] = {}
    for gpu in sweep.gpus:
        before = best.get(_kind(gpu), _Best())
        version, speeds = gpu.number("nvlink_version"), _speeds_of(gpu, known)
        best[_kind(gpu)] = _Best(
            version=max(version or 0, before.version or 0) or None,
            speed=max((speed for speed in (*speeds, before.speed) if speed), default=None),
        )
    return best


def _kind(gpu: GpuSweep) -> str:
    """What GPUs that are alike share: the device id, and each its own address where it is not known."""
    return gpu.text("pci_device_id") or gpu.pci


def _speeds_of(gpu: GpuSweep, known: Known) -> States:
    read = gpu if _SPEEDS in gpu.values else known.last_of(gpu, NVLINK_PEERS)
    speeds = read.values.get(_SPEEDS) if read is not None else None
    return speeds if isinstance(speeds, tuple) else ()
