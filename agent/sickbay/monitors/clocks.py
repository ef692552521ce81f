"""Why each GPU's clocks are where they are: the reasons that are faults, and those that are not.

The bits (nvml.h, nvmlClocksEventReason*) tell of the instant of the sweep; the driver's counters of
nanoseconds of everything since the sweep before, so that a brake that comes and goes is not missed.
"""

from collections.abc import Mapping

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Knowledge, Sweep
from sickbay.monitors.growth import Growth, growth
from sickbay.monitors.levels import level, seen

_REASONS = "clocks_reasons"

_BITS: Mapping[str, int] = {
    "idle": 0x1,
    "applications_clocks": 0x2,
    "sw_power_cap": 0x4,
    "hw_slowdown": 0x8,
    "sync_boost": 0x10,
    "sw_thermal": 0x20,
    "hw_thermal": 0x40,
    "hw_power_brake": 0x80,
}

# NVML_FI_DEV_CLOCKS_EVENT_REASON_* and NVML_FI_DEV_PERF_POLICY_* of nvml.h, with the bits that they count.
_COUNTERS: Mapping[str, tuple[str, int]] = {
    "sw_power_cap_share": ("policy_power_ns", 0x4),
    "sync_boost_share": ("policy_sync_boost_ns", 0x10),
    "sw_thermal_share": ("sw_thermal_ns", 0x20),
    "hw_thermal_share": ("hw_thermal_ns", 0x40),
    "hw_power_brake_share": ("hw_power_brake_ns", 0x80),
    "thermal_share": ("policy_thermal_ns", 0x60),
}


def signals(sweep: Sweep, previous: Sweep | None = None) -> tuple[Signal, ...]:
    """One `clocks` a GPU. A share is that of the time since `previous`.

    Of a driver that keeps no such counter the share is what the bit says at the sweep: all, or nothing.
    """
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, previous))


def _of(sweep: Sweep, gpu: GpuSweep, previous: Sweep | None) -> tuple[Signal, ...]:
    reasons, grew = gpu.number(_REASONS), growth(sweep, gpu, previous)
    bits: dict[str, FieldValue] = {
        name: None if reasons is None else bool(reasons & bit) for name, bit in _BITS.items()
    }
    shares = {name: _share(grew, counter, bit) for name, (counter, bit) in _COUNTERS.items()}
    state = {"performance_state": _performance_state(gpu)}
    return level(sweep, gpu, "clocks", {**bits, **shares, **state}, of=(_REASONS,))


def _share(grew: Growth, counter: str, bit: int) -> float | None:
    if grew.now.reading(counter).knowledge is Knowledge.VALUE:
        return grew.share(counter)
    reasons = grew.now.number(_REASONS)
    return None if reasons is None else float(bool(reasons & bit))


def _performance_state(gpu: GpuSweep) -> int | None:
    # 32 is nvmlPstates_t's own word for unknown.
    state = gpu.number("performance_state")
    return state if state is not None and state < _UNKNOWN_STATE else None


_UNKNOWN_STATE = 32
