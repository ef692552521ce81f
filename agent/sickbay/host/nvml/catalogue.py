"""The words that the worker and the agent share: groups of readings, return codes, calls and events of NVML.

Which reading is asked how stands in fields.py (numbered fields) and answers.py (calls).

Light on purpose (no dataclasses, no typing at run time): the worker loads it, and its memory is paid on
every host. Field ids, flags and units are nvml.h's of NVML 13.3.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY = "identity"
TEMPERATURE = "temperature"
CLOCKS = "clocks"
POWER = "power"
ECC = "ecc"
SRAM = "sram"
ROW_REMAP = "row_remap"
REPAIR = "repair"
PCIE = "pcie"
NVLINK = "nvlink"
NVLINK_ERRORS = "nvlink_errors"
NVLINK_PEERS = "nvlink_peers"
FABRIC = "fabric"
C2C = "c2c"
RECOVERY_ACTION = "recovery_action"
PROCESSES = "processes"
MODES = "modes"
INFOROM = "inforom"
PLATFORM = "platform"

EVERY: Mapping[str, float] = {
    IDENTITY: 10.0,
    TEMPERATURE: 10.0,
    CLOCKS: 10.0,
    POWER: 10.0,
    ECC: 10.0,
    SRAM: 60.0,
    ROW_REMAP: 10.0,
    REPAIR: 60.0,
    PCIE: 10.0,
    NVLINK: 10.0,
    NVLINK_ERRORS: 30.0,
    NVLINK_PEERS: 3600.0,
    FABRIC: 30.0,
    C2C: 60.0,
    RECOVERY_ACTION: 10.0,
    PROCESSES: 30.0,
    MODES: 60.0,
    INFOROM: 3600.0,
    PLATFORM: 3600.0,
}
"""group -> seconds from one reading to the next where the driver is swept each 10 s; cadence.py has the rest.

IDENTITY cannot change while the driver is loaded: it is asked once and told with every sweep.
"""

GROUPS = tuple(EVERY)

# Return codes of NVML (nvmlReturn_t). Only those with a meaning of their own here.
SUCCESS = 0
INVALID_ARGUMENT = 2
NOT_SUPPORTED = 3
NO_PERMISSION = 4
NOT_FOUND = 6
INSUFFICIENT_SIZE = 7
DRIVER_NOT_LOADED = 9
TIMEOUT = 10
LIBRARY_NOT_FOUND = 12
FUNCTION_NOT_FOUND = 13
CORRUPTED_INFOROM = 14
GPU_IS_LOST = 15
RESET_REQUIRED = 16
VERSION_MISMATCH = 18
VGPU_ECC_NOT_SUPPORTED = 22
ARGUMENT_VERSION_MISMATCH = 25
GPU_NOT_FOUND = 28
UNKNOWN = 999
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
    "nvmlDeviceGetMarginTemperature",
    "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetCurrentClocksThrottleReasons",
    "nvmlDeviceGetPerformanceState",
    "nvmlDeviceGetMemoryErrorCounter",
    "nvmlDeviceGetSramEccErrorStatus",
    "nvmlDeviceGetRowRemapperHistogram",
    "nvmlDeviceGetRepairStatus",
    "nvmlDeviceGetUnrepairableMemoryFlag_v1",
    "nvmlDeviceGetCurrPcieLinkGeneration",
    "nvmlDeviceGetCurrPcieLinkWidth",
    "nvmlDeviceGetMaxPcieLinkGeneration",
    "nvmlDeviceGetMaxPcieLinkWidth",
    "nvmlDeviceGetGpuMaxPcieLinkGeneration",
    "nvmlDeviceGetNvLinkState",
    "nvmlDeviceGetNvLinkRemoteDeviceType",
    "nvmlDeviceGetGpuFabricInfoV",
    "nvmlDeviceGetGpuFabricInfo",
    "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetBAR1MemoryInfo",
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetComputeRunningProcesses_v2",
    "nvmlDeviceGetMPSComputeRunningProcesses_v3",
    "nvmlDeviceGetMPSComputeRunningProcesses_v2",
    "nvmlDeviceGetPersistenceMode",
    "nvmlDeviceGetEccMode",
    "nvmlDeviceGetComputeMode",
    "nvmlDeviceGetMigMode",
    "nvmlDeviceGetMaxMigDeviceCount",
    "nvmlDeviceGetMigDeviceHandleByIndex",
    "nvmlDeviceGetVirtualizationMode",
    "nvmlSystemGetConfComputeState",
    "nvmlSystemGetConfComputeGpusReadyState",
    "nvmlDeviceValidateInforom",
    "nvmlDeviceGetInforomConfigurationChecksum",
    "nvmlDeviceGetInforomImageVersion",
    "nvmlDeviceGetPlatformInfo",
    "nvmlDeviceGetModuleId",
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
        "nvmlDeviceValidateInforom",
    },
)
"""Calls that initialise a driver or a GPU, seconds each where persistence mode is off, or that read flash."""

WAITING_CALLS = frozenset({"nvmlEventSetWait"})
"""Calls that are meant to block, for at most their own time-out."""

EVENT_WAIT_MS = 5000
"""Measured: 0.013 % of a core idle, and a worker that is told to go notices within this time."""

NVLINK_STATES = "nvlink_states"
"""The reading that holds one state a link, lowest first: 0 inactive, 1 active, 2 sleep, 3 active unused."""

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
