"""Readings that are numbered fields: NVML_FI_DEV_* of NVML 13.3's nvml.h, read many at a time.

Light on purpose, as catalogue.py is: the worker loads it.
"""

from __future__ import annotations

from sickbay.host.nvml.catalogue import (
    C2C,
    CLOCKS,
    ECC,
    IDENTITY,
    NVLINK,
    NVLINK_ERRORS,
    NVLINK_PEERS,
    NVLINK_STATES,
    PCIE,
    POWER,
    RECOVERY_ACTION,
    REPAIR,
    ROW_REMAP,
    TEMPERATURE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Mapping[str, tuple[str, int]] = {
    "nvlink_count": (IDENTITY, 91),
    "nvlink_version": (IDENTITY, 166),
    "tlimit_shutdown": (IDENTITY, 193),
    "tlimit_slowdown": (IDENTITY, 194),
    "tlimit_memory": (IDENTITY, 195),
    "tlimit_gpu": (IDENTITY, 196),
    "hbm_temperature": (TEMPERATURE, 82),
    "policy_power_ns": (CLOCKS, 74),
    "policy_thermal_ns": (CLOCKS, 75),
    "policy_sync_boost_ns": (CLOCKS, 76),
    "sw_thermal_ns": (CLOCKS, 269),
    "hw_thermal_ns": (CLOCKS, 270),
    "hw_power_brake_ns": (CLOCKS, 271),
    "power_average_mw": (POWER, 185),
    "power_instant_mw": (POWER, 186),
    "power_min_limit_mw": (POWER, 187),
    "power_max_limit_mw": (POWER, 188),
    "power_default_limit_mw": (POWER, 189),
    "power_limit_mw": (POWER, 190),
    "power_requested_limit_mw": (POWER, 192),
    "ecc_corrected_volatile": (ECC, 3),
    "ecc_uncorrected_volatile": (ECC, 4),
    "ecc_corrected_aggregate": (ECC, 5),
    "ecc_uncorrected_aggregate": (ECC, 6),
    "remapped_correctable": (ROW_REMAP, 142),
    "remapped_uncorrectable": (ROW_REMAP, 143),
    "remap_pending": (ROW_REMAP, 144),
    "remap_failure": (ROW_REMAP, 145),
    "retired_single": (REPAIR, 29),
    "retired_double": (REPAIR, 30),
    "retired_pending": (REPAIR, 31),
    "pcie_replays": (PCIE, 94),
    "pcie_replay_rollovers": (PCIE, 95),
    "pcie_l0_to_recovery": (PCIE, 169),
    "pcie_correctable": (PCIE, 173),
    "pcie_nak_received": (PCIE, 174),
    "pcie_receiver_errors": (PCIE, 175),
    "pcie_bad_tlp": (PCIE, 176),
    "pcie_nak_sent": (PCIE, 177),
    "pcie_bad_dllp": (PCIE, 178),
    "pcie_non_fatal": (PCIE, 179),
    "pcie_fatal": (PCIE, 180),
    "pcie_unsupported_requests": (PCIE, 181),
    "pcie_lcrc": (PCIE, 182),
    "pcie_lane_errors": (PCIE, 183),
    "c2c_links": (C2C, 170),
    "recovery_action": (RECOVERY_ACTION, 230),
}
"""reading -> (group, field id), scopeId 0: the GPU itself, and link 0 for `nvlink_version`."""

NVLINK_FIELDS: Mapping[str, tuple[str, int]] = {
    NVLINK_STATES: (NVLINK, 165),
    "nvlink_replays": (NVLINK_ERRORS, 161),
    "nvlink_recoveries": (NVLINK_ERRORS, 162),
    "nvlink_crc": (NVLINK_ERRORS, 163),
    "nvlink5_malformed": (NVLINK_ERRORS, 206),
    "nvlink5_overruns": (NVLINK_ERRORS, 207),
    "nvlink5_receive_errors": (NVLINK_ERRORS, 208),
    "nvlink5_remote_errors": (NVLINK_ERRORS, 209),
    "nvlink5_general_errors": (NVLINK_ERRORS, 210),
    "nvlink5_integrity_errors": (NVLINK_ERRORS, 211),
    "nvlink5_discards": (NVLINK_ERRORS, 212),
    "nvlink5_recoveries": (NVLINK_ERRORS, 213),
    "nvlink5_failed_recoveries": (NVLINK_ERRORS, 214),
    "nvlink5_recovery_events": (NVLINK_ERRORS, 215),
    "nvlink5_effective_errors": (NVLINK_ERRORS, 219),
    "nvlink5_effective_ber": (NVLINK_ERRORS, 220),
    "nvlink5_symbol_errors": (NVLINK_ERRORS, 221),
    "nvlink5_symbol_ber": (NVLINK_ERRORS, 222),
    "nvlink_speeds_mbps": (NVLINK_PEERS, 164),
}
"""reading -> (group, field id), scopeId the NVLink; `nvlink_count` says how many there are.

The two BER readings keep nvml.h's encoding: bits 0-7 the negative exponent, bits 8-11 the mantissa.
"""

C2C_FIELDS: Mapping[str, tuple[str, int]] = {
    "c2c_states": (C2C, 171),
    "c2c_interrupts": (C2C, 231),
    "c2c_replays": (C2C, 232),
    "c2c_replays_back_to_back": (C2C, 233),
}
"""reading -> (group, field id), scopeId the chip-to-chip link; `c2c_links` says how many there are."""

UNSIGNED_32_FIELDS = frozenset({82})
"""Fields whose valueType is not to be trusted (R545 sets a wrong one for 82: DCGM's nvbug 4300930)."""

SIGNED_32_FIELDS = frozenset({193, 194, 195, 196})
"""Fields of which nvml.h says to read the member siVal, whatever valueType says."""
