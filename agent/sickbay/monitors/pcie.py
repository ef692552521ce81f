"""Each GPU's PCIe link: as fast and as wide as it should be, and how often it fails a packet.

The generation falls while a GPU rests, to save power, so it says something only under load; the width never
falls by design. Counters: nvml.h, NVML_FI_DEV_PCIE_COUNT_*; they begin anew with the driver or a reset.
"""

from collections.abc import Mapping

from sickbay.core.platforms import PlatformProfile
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import CLOCKS
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.growth import Growth, growth
from sickbay.monitors.known import Known
from sickbay.monitors.levels import level, seen

_IDLE = 0x1
_UNKNOWN_STATE = 32
"""nvmlPstates_t's own word for unknown."""

_SPEEDS = {1: 2.5, 2: 5.0, 3: 8.0, 4: 16.0, 5: 32.0, 6: 64.0}
"""GT/s of one lane by generation."""

_REPLAYS_PER_GT = 0.06
"""Replays a minute, lane and GT/s that NVIDIA's DCGM tolerates: its table (0.15 for generation 1, 0.96 for 4,
1.92 for 5, 3.84 for 6; DcgmHealthWatch.cpp, DCGM 4.6.0) is this figure times the speed."""

_COUNTERS: Mapping[str, str] = {
    "new_replays": "pcie_replays",
    "new_rollovers": "pcie_replay_rollovers",
    "new_recoveries": "pcie_l0_to_recovery",
    "new_correctable": "pcie_correctable",
    "new_non_fatal": "pcie_non_fatal",
    "new_fatal": "pcie_fatal",
    "new_unsupported_requests": "pcie_unsupported_requests",
    "new_receiver_errors": "pcie_receiver_errors",
    "new_bad_tlp": "pcie_bad_tlp",
    "new_bad_dllp": "pcie_bad_dllp",
    "new_naks_sent": "pcie_nak_sent",
    "new_naks_received": "pcie_nak_received",
    "new_lcrc": "pcie_lcrc",
    "new_lane_errors": "pcie_lane_errors",
}

_OF = ("pcie_gen", "pcie_width", *_COUNTERS.values())


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `pcie` a GPU. What is new is unknown until two sweeps in a row have counted on the same GPU."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> tuple[Signal, ...]:
    profile, grew = known.profile_of(gpu), growth(sweep, gpu, known.previous)
    fields: dict[str, FieldValue] = {
        **_link(gpu, profile),
        "loaded": _loaded(gpu, known),
        "replays": gpu.number("pcie_replays"),
        "replays_per_minute": _per_minute(grew, "pcie_replays"),
        "replay_limit": _replay_limit(gpu),
        "correctable_per_minute": _per_minute(grew, "pcie_correctable"),
        **{name: grew.of(counter) for name, counter in _COUNTERS.items()},
    }
    return level(sweep, gpu, "pcie", fields, of=_OF)


def _link(gpu: GpuSweep, profile: PlatformProfile) -> dict[str, FieldValue]:
    max_generation, max_width = gpu.number("pcie_max_gen"), gpu.number("pcie_max_width")
    return {
        "generation": gpu.number("pcie_gen"),
        "width": gpu.number("pcie_width"),
        "max_generation": max_generation,
        "max_width": max_width,
        "gpu_max_generation": gpu.number("pcie_gpu_max_gen"),
        "expected_generation": _expected(max_generation, profile.pcie_gen),
        "expected_width": _expected(max_width, profile.pcie_width),
    }


def _expected(possible: int | None, profile: int | None) -> int | None:
    """No more than the slot can do, and no more than the board needs.

    A slot's own limit is a fact of the chassis: where it is not known, nothing is expected.
    """
    return possible if possible is None or profile is None else min(possible, profile)


def _loaded(gpu: GpuSweep, known: Known) -> bool | None:
    """Whether the GPU works or stands in P0; the clocks may have been read in a sweep of their own."""
    if gpu.number("pcie_gen") is None:
        return None
    was_read = any(gpu.number(name) is not None for name in ("performance_state", "clocks_reasons"))
    now = gpu if was_read else known.last_of(gpu, CLOCKS)
    if now is None:
        return None
    state, reasons = now.number("performance_state"), now.number("clocks_reasons")
    is_top = None if state is None or state >= _UNKNOWN_STATE else state == 0
    works = None if reasons is None else not reasons & _IDLE
    if is_top or works:
        return True
    return None if is_top is None or works is None else False


def _replay_limit(gpu: GpuSweep) -> float | None:
    speed, width = _SPEEDS.get(gpu.number("pcie_gen") or 0), gpu.number("pcie_width")
    return None if speed is None or not width else round(speed * width * _REPLAYS_PER_GT, 2)


def _per_minute(grew: Growth, counter: str) -> float | None:
    rate = grew.rate(counter)
    return None if rate is None else round(rate * 60.0, 2)
