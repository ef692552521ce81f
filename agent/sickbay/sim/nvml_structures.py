"""The symbols of the simulated libnvidia-ml that fill structures, lists and MIG devices, as nvml.h says."""

from __future__ import annotations

import ctypes

from sickbay.host.nvml.catalogue import (
    ARGUMENT_VERSION_MISMATCH,
    CORRUPTED_INFOROM,
    FUNCTION_NOT_FOUND,
    INSUFFICIENT_SIZE,
    NOT_FOUND,
    NOT_SUPPORTED,
    SUCCESS,
)
from sickbay.sim.nvml_handles import (
    as_bytes,
    attributes,
    mig_handle,
    mig_place,
    of_gpu,
    out,
    plain,
    point,
    several,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sickbay.sim.nvml import SimulatedGpu, SimulatedNvml
    from sickbay.sim.nvml_handles import Arguments, GpuHandler, Handler

_NO_VALUE = 0xFFFFFFFFFFFFFFFF
"""NVML_VALUE_NOT_AVAILABLE."""

_NO_INSTANCE = 0xFFFFFFFF


def _name(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    place = mig_place(arguments[0])
    names = ("name",) if place is None else ("name", "mig_profiles")
    code, (name, *profiles) = several(library, gpu, names)
    if code == SUCCESS:
        what = name if place is None else f"{name} MIG {profiles[0].split(',')[place]}"
        arguments[1].value = as_bytes(what)
    return code


def _mig_device(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    code, (count, _) = several(library, gpu, ("mig_devices", "mig_profiles"))
    place = plain(arguments[1])
    if code == SUCCESS and place >= count:
        code = NOT_FOUND
    if code == SUCCESS:
        point(out(arguments[2]), mig_handle(gpu.slot, place))
    return code


_FABRIC = ("fabric_cluster", "fabric_status", "fabric_clique", "fabric_state")


def _fabric(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    # A profile that does not name what a version added is of a driver from before that version.
    info = out(arguments[1])
    version = info.version >> 24
    if version > 2 and not _is_named(gpu, "fabric_health_summary") and _is_named(gpu, "fabric_state"):  # noqa: PLR2004 - the version that added it
        return ARGUMENT_VERSION_MISMATCH
    if not _is_named(gpu, "fabric_health_mask") and _is_named(gpu, "fabric_state"):
        return FUNCTION_NOT_FOUND
    added = ("fabric_health_mask", "fabric_health_summary")[: version - 1]
    code, values = several(library, gpu, (*_FABRIC, *added))
    if code == SUCCESS:
        _fill_fabric(info, values)
        for member, value in zip(("healthMask", "healthSummary"), values[len(_FABRIC) :], strict=False):
            setattr(info, member, value)
    return code


def _fabric_v1(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    code, values = several(library, gpu, _FABRIC)
    if code == SUCCESS:
        _fill_fabric(out(arguments[1]), values)
    return code


def _fill_fabric(info: object, values: list[object]) -> None:
    cluster, *rest = values
    vars_of = zip(("status", "cliqueId", "state"), rest, strict=False)
    for place, byte in enumerate(bytes.fromhex(str(cluster).replace("-", ""))):
        info.clusterUuid[place] = byte  # type: ignore[attr-defined]
    for member, value in vars_of:
        setattr(info, member, value)


def _is_named(gpu: SimulatedGpu, name: str) -> bool:
    return name in gpu.values or name in gpu.failures


def _memory(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    named = tuple(name for name in ("memory_used", "memory_total") if _is_named(gpu, name))
    code, (total, *rest) = several(library, gpu, ("memory_bytes", *named))
    if code == SUCCESS:
        memory = out(arguments[1])
        memory.total, memory.used = total, rest[0] if "memory_used" in named else 0
        memory.free = memory.total - memory.used
    return code


def _memory_v2(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    if not _is_named(gpu, "memory_reserved") and _is_named(gpu, "memory_total"):
        return FUNCTION_NOT_FOUND
    code, values = several(library, gpu, ("memory_total", "memory_used", "memory_reserved"))
    if code == SUCCESS:
        memory = out(arguments[1])
        memory.total, memory.used, memory.reserved = values
        memory.free = max(0, memory.total - memory.used - memory.reserved)
    return code


def _processes(pids_name: str, memory_name: str = "") -> GpuHandler:
    def handler(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
        code, (pids, *sizes) = several(
            library, gpu, (pids_name, memory_name) if memory_name else (pids_name,)
        )
        if code != SUCCESS:
            return code
        room, count = plain(out(arguments[1])), out(arguments[1])
        count.value = len(pids)
        if room < len(pids):
            return INSUFFICIENT_SIZE
        for place, pid in enumerate(pids):
            size = sizes[0][place] if sizes else None
            process = arguments[2][place]
            process.pid, process.usedGpuMemory = pid, _NO_VALUE if size is None else size
            process.gpuInstanceId = process.computeInstanceId = _NO_INSTANCE
        return SUCCESS

    return handler


def _platform(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    info = out(arguments[1])
    second = info.version >> 24 > 1
    if second and not _is_named(gpu, "chassis_serial") and _is_named(gpu, "ib_guid"):
        return ARGUMENT_VERSION_MISMATCH
    names = ("ib_guid", "slot_number", "tray_index", "host_id", "peer_type")
    code, values = several(library, gpu, (*names, "chassis_serial") if second else names)
    if code != SUCCESS:
        return code
    # ctypes takes a c_char array for text, and would end it at its first zero.
    guid = bytes.fromhex(str(values[0]))
    ctypes.memmove(ctypes.addressof(info) + type(info).ibGuid.offset, guid, len(guid))
    places = (
        ("slotNumber", "trayIndex", "hostId", "peerType")
        if second
        else ("chassisPhysicalSlotNumber", "computeSlotIndex", "nodeIndex", "peerType")
    )
    for member, value in zip(places, values[1:5], strict=True):
        setattr(info, member, bytes([value]))
    if second:
        info.chassisSerialNumber = as_bytes(values[5])
    return SUCCESS


def _inforom(library: SimulatedNvml, gpu: SimulatedGpu, _arguments: Arguments) -> int:
    code, (valid,) = several(library, gpu, ("inforom_valid",))
    return CORRUPTED_INFOROM if code == SUCCESS and not valid else code


def _cc_state(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    out(arguments[0]).ccFeature = int(any(_is_named(gpu, "cc_ready") for gpu in library.gpus))
    return SUCCESS


def _cc_ready(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    named = next((gpu for gpu in library.gpus if _is_named(gpu, "cc_ready")), None)
    if named is None:
        return NOT_SUPPORTED
    code, (ready,) = several(library, named, ("cc_ready",))
    if code == SUCCESS:
        out(arguments[0]).value = ready
    return code


STRUCTURE_HANDLERS: dict[str, Handler] = {
    "nvmlDeviceGetName": of_gpu(_name),
    "nvmlDeviceGetMigDeviceHandleByIndex": of_gpu(_mig_device),
    "nvmlDeviceGetGpuFabricInfoV": of_gpu(_fabric),
    "nvmlDeviceGetGpuFabricInfo": of_gpu(_fabric_v1),
    "nvmlDeviceGetMemoryInfo": of_gpu(_memory),
    "nvmlDeviceGetMemoryInfo_v2": of_gpu(_memory_v2),
    "nvmlDeviceGetBAR1MemoryInfo": attributes(bar1Total="bar1_total", bar1Used="bar1_used"),
    "nvmlDeviceGetComputeRunningProcesses_v3": of_gpu(_processes("compute_pids", "compute_memory")),
    "nvmlDeviceGetComputeRunningProcesses_v2": of_gpu(_processes("compute_pids", "compute_memory")),
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": of_gpu(_processes("mps_pids")),
    "nvmlDeviceGetMPSComputeRunningProcesses_v2": of_gpu(_processes("mps_pids")),
    "nvmlDeviceGetPlatformInfo": of_gpu(_platform),
    "nvmlDeviceValidateInforom": of_gpu(_inforom),
    "nvmlSystemGetConfComputeState": _cc_state,
    "nvmlSystemGetConfComputeGpusReadyState": _cc_ready,
    "nvmlDeviceGetTemperatureV": attributes(temperature="temperature"),
    "nvmlDeviceGetMarginTemperature": attributes(marginTemperature="margin"),
    "nvmlDeviceGetSramEccErrorStatus": attributes(
        aggregateUncParity="sram_parity_aggregate",
        aggregateUncSecDed="sram_sec_ded_aggregate",
        aggregateCor="sram_corrected_status_aggregate",
        volatileUncParity="sram_parity_volatile",
        volatileUncSecDed="sram_sec_ded_volatile",
        volatileCor="sram_corrected_status_volatile",
        aggregateUncBucketL2="sram_bucket_l2",
        aggregateUncBucketSm="sram_bucket_sm",
        aggregateUncBucketPcie="sram_bucket_pcie",
        aggregateUncBucketMcu="sram_bucket_mcu",
        aggregateUncBucketOther="sram_bucket_other",
        bThresholdExceeded="sram_threshold_exceeded",
    ),
    "nvmlDeviceGetRowRemapperHistogram": attributes(
        max="remap_banks_max",
        high="remap_banks_high",
        partial="remap_banks_partial",
        low="remap_banks_low",
        none="remap_banks_none",
    ),
    "nvmlDeviceGetRepairStatus": attributes(
        bChannelRepairPending="channel_repair_pending", bTpcRepairPending="tpc_repair_pending"
    ),
    "nvmlDeviceGetUnrepairableMemoryFlag_v1": attributes(unrepairableMemory="unrepairable_memory"),
}
