"""What is read of a GPU, and by which NVML call: the words that the worker and the agent share.

Light on purpose (no dataclasses, no typing at run time): the worker loads it, and its memory is paid on
every host. Field ids, flags and units are nvml.h's of NVML 13.3.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY = "identity"
TEMPERATURE = "temperature"
ECC = "ecc"
ROW_REMAP = "row_remap"
CLOCKS = "clocks"
NVLINK = "nvlink"
RECOVERY_ACTION = "recovery_action"
GROUPS = (IDENTITY, TEMPERATURE, ECC, ROW_REMAP, CLOCKS, NVLINK, RECOVERY_ACTION)

# Return codes of NVML (nvmlReturn_t). Only those with a meaning of their own here.
SUCCESS = 0
INVALID_ARGUMENT = 2
NOT_SUPPORTED = 3
NO_PERMISSION = 4
NOT_FOUND = 6
DRIVER_NOT_LOADED = 9
TIMEOUT = 10
LIBRARY_NOT_FOUND = 12
FUNCTION_NOT_FOUND = 13
GPU_IS_LOST = 15
RESET_REQUIRED = 16
VERSION_MISMATCH = 18
ARGUMENT_VERSION_MISMATCH = 25
GPU_NOT_FOUND = 28
UNREADABLE = -1
"""Ours, not NVML's: the driver answered with success and bytes that are no text or no known value type."""

RETURN_CODES: Mapping[int, str] = {
    UNREADABLE: "UNREADABLE",
    0: "SUCCESS",
    1: "UNINITIALIZED",
    2: "INVALID_ARGUMENT",
    3: "NOT_SUPPORTED",
    4: "NO_PERMISSION",
    6: "NOT_FOUND",
    7: "INSUFFICIENT_SIZE",
    8: "INSUFFICIENT_POWER",
    9: "DRIVER_NOT_LOADED",
    10: "TIMEOUT",
    11: "IRQ_ISSUE",
    12: "LIBRARY_NOT_FOUND",
    13: "FUNCTION_NOT_FOUND",
    14: "CORRUPTED_INFOROM",
    15: "GPU_IS_LOST",
    16: "RESET_REQUIRED",
    17: "OPERATING_SYSTEM",
    18: "LIB_RM_VERSION_MISMATCH",
    19: "IN_USE",
    20: "MEMORY",
    21: "NO_DATA",
    22: "VGPU_ECC_NOT_SUPPORTED",
    23: "INSUFFICIENT_RESOURCES",
    25: "ARGUMENT_VERSION_MISMATCH",
    26: "DEPRECATED",
    27: "NOT_READY",
    28: "GPU_NOT_FOUND",
    29: "INVALID_STATE",
    999: "UNKNOWN",
}
"""nvmlReturn_t without its NVML_ERROR_ prefix."""

STABLE_CODES = frozenset({INVALID_ARGUMENT, NOT_SUPPORTED, FUNCTION_NOT_FOUND, ARGUMENT_VERSION_MISMATCH})
"""Answers that stay the same for as long as the driver is loaded, so the question need not be repeated."""

CALLS = (
    "nvmlInitWithFlags",
    "nvmlSystemGetDriverVersion",
    "nvmlSystemGetNVMLVersion",
    "nvmlDeviceGetCount",
    "nvmlDeviceGetHandleByIndex",
    "nvmlDeviceGetHandleByPciBusId",
    "nvmlDeviceGetPciInfo",
    "nvmlDeviceGetUUID",
    "nvmlDeviceGetName",
    "nvmlDeviceGetSerial",
    "nvmlDeviceGetVbiosVersion",
    "nvmlDeviceGetMemoryInfo",
    "nvmlDeviceGetTemperatureThreshold",
    "nvmlDeviceGetTemperatureV",
    "nvmlDeviceGetTemperature",
    "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetCurrentClocksThrottleReasons",
    "nvmlDeviceGetNvLinkState",
    "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetSupportedEventTypes",
    "nvmlDeviceRegisterEvents",
    "nvmlEventSetCreate",
    "nvmlEventSetWait",
)
"""Every call that the worker may make, by pynvml's name; the slot holds a call's position plus one."""

CALL_IDS: Mapping[str, int] = {name: position for position, name in enumerate(CALLS, start=1)}

SLOW_CALLS = frozenset(
    {
        "nvmlInitWithFlags",
        "nvmlDeviceGetHandleByIndex",
        "nvmlDeviceGetHandleByPciBusId",
    },
)
"""Calls that initialise a driver or a GPU: seconds each where persistence mode is off."""

WAITING_CALLS = frozenset({"nvmlEventSetWait"})
"""Calls that are meant to block, for at most their own time-out."""

EVENT_WAIT_MS = 5000
"""Measured: 0.013 % of a core idle, and a worker that is told to go notices within this time."""

FIELDS: Mapping[str, tuple[str, int]] = {
    "nvlink_count": (IDENTITY, 91),
    "hbm_temperature": (TEMPERATURE, 82),
    "ecc_corrected_volatile": (ECC, 3),
    "ecc_uncorrected_volatile": (ECC, 4),
    "ecc_corrected_aggregate": (ECC, 5),
    "ecc_uncorrected_aggregate": (ECC, 6),
    "remapped_correctable": (ROW_REMAP, 142),
    "remapped_uncorrectable": (ROW_REMAP, 143),
    "remap_pending": (ROW_REMAP, 144),
    "remap_failure": (ROW_REMAP, 145),
    "recovery_action": (RECOVERY_ACTION, 230),
}
"""reading -> (group, NVML_FI_DEV_* id), read in one nvmlDeviceGetFieldValues a GPU."""

NVLINK_STATE_FIELD = 165
"""NVML_FI_DEV_NVLINK_GET_STATE, scopeId the link: 0 inactive, 1 active, 2 sleep, 3 active without traffic."""

NVLINK_STATES = "nvlink_states"
"""The reading that holds one state a link, lowest link first."""

UNSIGNED_32_FIELDS = frozenset({82})
"""Fields whose valueType is not to be trusted (R545 sets a wrong one for 82: DCGM's nvbug 4300930)."""

ANSWERS: Mapping[str, tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]] = {
    "uuid": (IDENTITY, (("nvmlDeviceGetUUID", ()),)),
    "name": (IDENTITY, (("nvmlDeviceGetName", ()),)),
    "serial": (IDENTITY, (("nvmlDeviceGetSerial", ()),)),
    "vbios": (IDENTITY, (("nvmlDeviceGetVbiosVersion", ()),)),
    "pci_device_id": (IDENTITY, (("nvmlDeviceGetPciInfo", ()),)),
    "memory_bytes": (IDENTITY, (("nvmlDeviceGetMemoryInfo", ()),)),
    "slowdown_at": (IDENTITY, (("nvmlDeviceGetTemperatureThreshold", (1,)),)),
    "temperature": (
        TEMPERATURE,
        (("nvmlDeviceGetTemperatureV", (0,)), ("nvmlDeviceGetTemperature", (0,))),
    ),
    "clocks_reasons": (
        CLOCKS,
        (
            ("nvmlDeviceGetCurrentClocksEventReasons", ()),
            ("nvmlDeviceGetCurrentClocksThrottleReasons", ()),
        ),
    ),
}
"""reading -> (group, calls with their arguments): the next call is for a driver that lacks the one before."""

EVENT_TYPES: Mapping[int, str] = {
    0x2: "double_bit_ecc",
    0x8: "xid",
    0x200: "single_bit_ecc_storm",
    0x400: "dram_retirement",
    0x800: "dram_retirement_failure",
    0x1000: "nonfatal_poison",
    0x2000: "fatal_poison",
    0x4000: "gpu_unavailable",
    0x8000: "gpu_recovery_action",
}
"""nvmlEventType* bits that are listened for; clock, P-state and power-source changes are noise."""

WANTED_EVENTS = 0x2 | 0x8 | 0x200 | 0x400 | 0x800 | 0x1000 | 0x2000 | 0x4000 | 0x8000


def describe_code(code: int) -> str:
    """`GPU_IS_LOST` for 15; `code 1234` for one that nvml.h did not name."""
    return RETURN_CODES.get(code, f"code {code}")


def patience(call: str, *, quick: float, slow: float) -> float:
    """Seconds after which a call counts as hung; `slow` for one that initialises, more for a waiting one."""
    if call in WAITING_CALLS:
        return EVENT_WAIT_MS / 1000 + quick
    return slow if call in SLOW_CALLS else quick


def short_bus_id(bus_id: str) -> str:
    """`00000000:1B:00.0` (nvmlPciInfo_t.busId) as `0000:1b:00`; ValueError for anything else."""
    domain, bus, device = bus_id.lower().split(":")
    return f"{int(domain, 16):04x}:{bus}:{device.partition('.')[0]}"
