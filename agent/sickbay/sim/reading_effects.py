"""What the faults of reading_faults.py do to readings. Pure, and light: the simulated driver loads it.

An effect gets the reading as it would be without the fault, the fault's record and the seconds since boot.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Record = Mapping[str, Any]
    Effect = Callable[[Any, Record, float], Any]
    Links = list[int | None]

# nvmlGpuFabricInfo_v3_t and NVML_GPU_FABRIC_HEALTH_MASK_* of nvml.h.
_SUMMARIES = {"unhealthy": 2, "limited_capacity": 3}
_FLAG_SHIFTS = {
    "degraded_bandwidth": 0,
    "route_recovery": 2,
    "route_unhealthy": 4,
    "access_timeout_recovery": 6,
}
_FLAG_MASK, _FLAG_TRUE = 0x3, 1
_CONFIG_SHIFT, _CONFIG_MASK, _NO_PARTITION = 8, 0xF, 4
_IN_PROGRESS = 2
_UNKNOWN_ERROR = 999


def ramp(value: int, record: Record, at: float) -> int:
    """From the reading to `to` over the time `over`."""
    share = min(1.0, (at - record["at"]) / record["over"]) if record["over"] > 0 else 1.0
    return value + round((int(record["to"]) - value) * share)


def down(states: Links, record: Record, _at: float) -> Links:
    """The link `link` inactive."""
    return [0 if link == record["link"] else state for link, state in enumerate(states)]


def _to(number: int) -> Effect:
    return lambda _value, _record, _at: number


def _at_most(name: str) -> Effect:
    return lambda value, record, _at: value if record[name] is None else min(value, record[name])


def _plus(name: str) -> Effect:
    return lambda value, record, _at: value + record[name]


def _climbing(*rates: str) -> Effect:
    """The counter of the link `link` gains the sum of these rates."""

    def effect(counts: Links, record: Record, at: float) -> Links:
        gained = int(sum(float(record[rate]) for rate in rates) * (at - float(record["at"])))
        return [
            count + gained if link == record["link"] and count is not None else count
            for link, count in enumerate(counts)
        ]

    return effect


def _bit_errors(rates: Links, record: Record, _at: float) -> Links:
    if not record["ber"]:
        return rates
    # nvml.h's encoding: bits 0-7 the negative exponent, bits 8-11 the mantissa.
    mantissa, _, exponent = f"{record['ber']:.0e}".partition("e-")
    encoded = int(mantissa) << 8 | int(exponent or 0)
    return [encoded if link == record["link"] else rate for link, rate in enumerate(rates)]


def _summary(value: int, record: Record, _at: float) -> int:
    # 0: this board has no summary, ill or well.
    return _SUMMARIES.get(record["shows"], value) if value else value


def _mask(value: int, record: Record, _at: float) -> int:
    shift, mask, told = _FLAG_SHIFTS.get(record["shows"]), _FLAG_MASK, _FLAG_TRUE
    if record["shows"] == "incorrect_config":
        shift, mask, told = _CONFIG_SHIFT, _CONFIG_MASK, _NO_PARTITION
    # Likewise a part of the mask that is 0 is one that the board does not have.
    if shift is None or not value >> shift & mask:
        return value
    return value & ~(mask << shift) | told << shift


def _state(value: int, record: Record, _at: float) -> int:
    return _IN_PROGRESS if value and record["shows"] == "in_progress" else value


def _status(value: int, record: Record, _at: float) -> int:
    return _UNKNOWN_ERROR if record["shows"] == "failed" else value


def _held(name: str) -> Effect:
    return lambda values, record, _at: [*values, record[name]] if record["pid"] else values


def _milliwatts(_value: int, record: Record, _at: float) -> int:
    return int(record["watts"]) * 1000


def _another(name: str, end: str) -> Effect:
    return lambda value, record, _at: record.get(name) or str(value)[: -len(end)] + end


EFFECTS: Mapping[tuple[str, str], Effect] = {
    ("pcie_degraded", "pcie_width"): _at_most("width"),
    ("pcie_degraded", "pcie_gen"): _at_most("gen"),
    ("nvlink_errors", "nvlink_replays"): _climbing("replays_per_s"),
    ("nvlink_errors", "nvlink_recoveries"): _climbing("recoveries_per_s"),
    ("nvlink_errors", "nvlink_crc"): _climbing("crc_per_s"),
    ("nvlink_errors", "nvlink5_integrity_errors"): _climbing("data_errors_per_s"),
    ("nvlink_errors", "nvlink5_recoveries"): _climbing("recoveries_per_s"),
    ("nvlink_errors", "nvlink5_failed_recoveries"): _climbing("failed_recoveries_per_s"),
    ("nvlink_errors", "nvlink5_recovery_events"): _climbing("recoveries_per_s", "failed_recoveries_per_s"),
    ("nvlink_errors", "nvlink5_effective_ber"): _bit_errors,
    ("fabric_unhealthy", "fabric_health_summary"): _summary,
    ("fabric_unhealthy", "fabric_health_mask"): _mask,
    ("fabric_unhealthy", "fabric_state"): _state,
    ("fabric_unhealthy", "fabric_status"): _status,
    ("memory_held", "memory_used"): _plus("bytes"),
    ("memory_held", "compute_pids"): _held("pid"),
    ("memory_held", "compute_memory"): _held("bytes"),
    ("inforom_corrupt", "inforom_valid"): _to(0),
    ("persistence_off", "persistence_mode"): _to(0),
    ("sram_threshold", "sram_threshold_exceeded"): _to(1),
    ("sram_threshold", "sram_parity_volatile"): _plus("errors"),
    ("sram_threshold", "sram_parity_aggregate"): _plus("errors"),
    ("sram_threshold", "sram_bucket_sm"): _plus("errors"),
    ("hbm_hot", "hbm_temperature"): ramp,
    ("power_limit", "power_limit_mw"): _milliwatts,
    ("power_limit", "power_requested_limit_mw"): _milliwatts,
    ("gpu_replaced", "uuid"): _another("uuid", "beef"),
    ("gpu_replaced", "serial"): _another("serial", "9999"),
    ("c2c_down", "c2c_states"): down,
}
"""(fault, reading) -> effect."""
