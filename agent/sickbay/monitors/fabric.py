"""Whether each GPU has joined the fabric of NVSwitches, and how its way there is.

Values: nvml.h, nvmlGpuFabricInfoV_t and NVML_GPU_FABRIC_*. What nvml.h calls the WIDTH of a part of the
health mask is the mask of its bits after the shift, and not their number.
"""

from collections import Counter
from collections.abc import Mapping

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import describe_code
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.levels import level, seen

_NOT_SUPPORTED = 0
_COMPLETED = 3
_STATES: Mapping[int, str] = {1: "not_started", 2: "in_progress", 3: "completed"}
_SUMMARIES: Mapping[int, str] = {1: "healthy", 2: "unhealthy", 3: "limited_capacity"}

_TERNARY = 0x3
_YES_OR_NO: Mapping[int, bool] = {1: True, 2: False}
_FLAGS: Mapping[str, int] = {
    "degraded_bandwidth": 0,
    "route_recovery": 2,
    "route_unhealthy": 4,
    "access_timeout_recovery": 6,
    "partition_assigned": 12,
}
"""Field -> shift. Two bits each: 0 not supported, 1 true, 2 false."""

_CONFIG_SHIFT, _CONFIG_MASK = 8, 0xF
_CONFIGS: Mapping[int, str] = {
    1: "none",
    2: "system_guid",
    3: "chassis_serial",
    4: "no_partition",
    5: "insufficient_nvlinks",
    6: "firmware",
    7: "location",
    8: "gpu_state",
}

_OF = ("fabric_state",)


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `fabric` a GPU that belongs to one."""
    joined = Counter(place for gpu in sweep.gpus if (place := _place(gpu)) is not None)
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, joined))


def _of(sweep: Sweep, gpu: GpuSweep, joined: Mapping[tuple[str, int], int]) -> tuple[Signal, ...]:
    state = gpu.number("fabric_state")
    if state == _NOT_SUPPORTED:
        return ()
    # Where and how a GPU has joined means nothing before it has.
    status = gpu.number("fabric_status") if state == _COMPLETED else None
    fields: dict[str, FieldValue] = {
        "state": _word(state, _STATES),
        "status": None if status is None else describe_code(status),
        "clique": gpu.number("fabric_clique") if state == _COMPLETED else None,
        "cluster": gpu.text("fabric_cluster") or None if state == _COMPLETED else None,
        "differs": _differs(gpu, joined),
        "summary": _word(gpu.number("fabric_health_summary") or None, _SUMMARIES),
        **_health(gpu.number("fabric_health_mask")),
    }
    return level(sweep, gpu, "fabric", fields, of=_OF)


def _health(mask: int | None) -> dict[str, FieldValue]:
    if mask is None:
        return dict.fromkeys((*_FLAGS, "incorrect_config", "health_mask"))
    config = mask >> _CONFIG_SHIFT & _CONFIG_MASK
    return {
        **{name: _YES_OR_NO.get(mask >> shift & _TERNARY) for name, shift in _FLAGS.items()},
        "incorrect_config": _word(config or None, _CONFIGS),
        "health_mask": mask,
    }


def _word(number: int | None, words: Mapping[int, str]) -> str | None:
    return None if number is None else words.get(number, f"unknown_{number}")


def _place(gpu: GpuSweep) -> tuple[str, int] | None:
    cluster, clique = gpu.text("fabric_cluster"), gpu.number("fabric_clique")
    has_joined = gpu.number("fabric_state") == _COMPLETED and gpu.number("fabric_status") == 0
    return (cluster, clique) if has_joined and clique is not None else None


def _differs(gpu: GpuSweep, joined: Mapping[tuple[str, int], int]) -> bool | None:
    """Whether most GPUs of the node are elsewhere; unknown where half of them are."""
    place = _place(gpu)
    if place is None:
        return None
    alike, others = joined[place], sum(joined.values()) - joined[place]
    return None if alike == others else others > alike
