"""How each call of answers.py is made, and which values its result holds.

Structures are filled by the driver and read whole with one unpack: pynvml's attributes decode byte arrays as
text and stop at a zero, which loses what an InfiniBand GUID is made of. Layouts are nvml.h's of NVML 13.3.
"""

from __future__ import annotations

import struct

from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import (
    CORRUPTED_INFOROM,
    INVALID_ARGUMENT,
    NOT_FOUND,
    NOT_SUPPORTED,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sickbay.host.nvml.gathering import Value

    Found = tuple[Value | None, ...]
    Asked = Callable[[Caller, object, tuple[int, ...], int], Found]

_MEMORY_V2 = 0x02000028
"""nvmlMemory_v2: sizeof(nvmlMemory_v2_t) and the version in the highest byte."""


def ask(caller: Caller, handle: object, call: str, numbers: tuple[int, ...], gpu: int) -> Found:
    """What a call answers, in the order of its readings; None for what this version of it cannot tell."""
    special = _SPECIAL.get(call)
    if special is not None:
        return special(caller, handle, numbers, gpu)
    answer = caller.ask(call, handle, *numbers, gpu=gpu)
    take = _TAKE.get(call)
    found: Found = (answer,) if take is None else take(answer)
    return found


# nvmlEccSramErrorStatus_v1_t: version, three aggregate and three volatile counts, five buckets, the flag.
_SRAM = struct.Struct("@I11QI")


def _sram(caller: Caller, handle: object, _numbers: tuple[int, ...], gpu: int) -> Found:
    call = "nvmlDeviceGetSramEccErrorStatus"
    _, *counts = _SRAM.unpack_from(caller.fill(call, handle, "c_nvmlEccSramErrorStatus_v1_t", gpu=gpu))
    return tuple(counts)


# nvmlGpuFabricInfo_t: clusterUuid, status, cliqueId, state (one byte). Version 2 adds its own version in
# front and healthMask, version 3 healthSummary (one byte).
_FABRIC_V1 = struct.Struct("@16sIIB")
_FABRIC = {2: struct.Struct("@4x16sIIBI"), 3: struct.Struct("@4x16sIIBIB")}


def _fabric(caller: Caller, handle: object, numbers: tuple[int, ...], gpu: int) -> Found:
    (version,) = numbers
    type_ = f"c_nvmlGpuFabricInfo_v{version}_t"
    info = caller.fill("nvmlDeviceGetGpuFabricInfoV", handle, type_, gpu=gpu)
    return _of_fabric(*_FABRIC[version].unpack_from(info))


def _fabric_v1(caller: Caller, handle: object, _numbers: tuple[int, ...], gpu: int) -> Found:
    info = caller.fill("nvmlDeviceGetGpuFabricInfo", handle, "c_nvmlGpuFabricInfo_t", gpu=gpu)
    return _of_fabric(*_FABRIC_V1.unpack_from(info))


def _of_fabric(
    cluster: bytes,
    status: int,
    clique: int,
    state: int,
    mask: int | None = None,
    summary: int | None = None,
) -> Found:
    text = cluster.hex()
    uuid = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return uuid, status, clique, state, mask, summary


# nvmlPlatformInfo: version, ibGuid, chassisSerialNumber (version 1: rackGuid), then a byte each for slot,
# tray, host, peer type and module. Of the sixteen bytes of a GUID Blackwell fills eight, and zeros follow.
_PLATFORM = struct.Struct("@4x16s16s4B")
_GUID_BYTES = 8


def _platform(caller: Caller, handle: object, numbers: tuple[int, ...], gpu: int) -> Found:
    (version,) = numbers
    type_ = f"c_nvmlPlatformInfo_v{version}_t"
    info = caller.fill("nvmlDeviceGetPlatformInfo", handle, type_, gpu=gpu)
    guid, serial, *places = _PLATFORM.unpack_from(info)
    short = guid[:_GUID_BYTES] if not any(guid[_GUID_BYTES:]) else guid
    chassis = serial.rstrip(b"\0").decode("ascii", "backslashreplace") if version > 1 else None
    return (short.hex(), chassis, *places)


def _memory(caller: Caller, handle: object, numbers: tuple[int, ...], gpu: int) -> Found:
    call = "nvmlDeviceGetMemoryInfo"
    if numbers == (2,):
        memory = caller.ask(call, handle, _MEMORY_V2, gpu=gpu)
        return memory.total, memory.used, memory.reserved
    memory = caller.ask(call, handle, gpu=gpu)
    # Version 1 counts what is reserved for the driver as used.
    return (memory.total, memory.used, None) if numbers else (memory.total,)


def _mig_devices(caller: Caller, handle: object, _numbers: tuple[int, ...], gpu: int) -> Found:
    if not caller.ask("nvmlDeviceGetMigMode", handle, gpu=gpu)[0]:
        return 0, ""
    names = []
    for index in range(int(caller.ask("nvmlDeviceGetMaxMigDeviceCount", handle, gpu=gpu))):
        try:
            device = caller.ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, index, gpu=gpu)
        except CallFailedError as error:
            if error.code not in {NOT_FOUND, INVALID_ARGUMENT}:
                raise
        else:
            # A MIG device is called after its GPU and its profile: `NVIDIA H100 80GB HBM3 MIG 3g.40gb`.
            names.append(str(caller.ask("nvmlDeviceGetName", device, gpu=gpu)).rpartition("MIG ")[2])
    return len(names), ",".join(names)


def _cc_ready(caller: Caller, _handle: object, _numbers: tuple[int, ...], gpu: int) -> Found:
    # Where confidential computing is off there is nothing to be ready for, whatever the ready state says.
    if not caller.ask("nvmlSystemGetConfComputeState", gpu=gpu).ccFeature:
        raise CallFailedError("nvmlSystemGetConfComputeGpusReadyState", NOT_SUPPORTED)
    return (caller.ask("nvmlSystemGetConfComputeGpusReadyState", gpu=gpu),)


def _inforom(caller: Caller, handle: object, _numbers: tuple[int, ...], gpu: int) -> Found:
    try:
        caller.ask("nvmlDeviceValidateInforom", handle, gpu=gpu)
    except CallFailedError as error:
        if error.code != CORRUPTED_INFOROM:
            raise
        return (0,)
    return (1,)


_SPECIAL: dict[str, Asked] = {
    "nvmlDeviceGetSramEccErrorStatus": _sram,
    "nvmlDeviceGetGpuFabricInfoV": _fabric,
    "nvmlDeviceGetGpuFabricInfo": _fabric_v1,
    "nvmlDeviceGetPlatformInfo": _platform,
    "nvmlDeviceGetMemoryInfo": _memory,
    "nvmlDeviceGetMigDeviceHandleByIndex": _mig_devices,
    "nvmlSystemGetConfComputeGpusReadyState": _cc_ready,
    "nvmlDeviceValidateInforom": _inforom,
}
"""Calls that take a structure, or more than one call to answer."""


def _compute(processes: list[Any]) -> Found:
    return [one.pid for one in processes], [one.usedGpuMemory for one in processes]


def _pids(processes: list[Any]) -> Found:
    return ([one.pid for one in processes],)


_TAKE: dict[str, Callable[[Any], Found]] = {
    "nvmlDeviceGetPciInfo": lambda info: (f"0x{info.pciDeviceId:08X}", f"0x{info.pciSubSystemId:08X}"),
    "nvmlDeviceGetRowRemapperHistogram": lambda of: (of.max, of.high, of.partial, of.low, of.none),
    "nvmlDeviceGetRepairStatus": tuple,
    "nvmlDeviceGetBAR1MemoryInfo": lambda bar: (bar.bar1Total, bar.bar1Used),
    "nvmlDeviceGetComputeRunningProcesses_v3": _compute,
    "nvmlDeviceGetComputeRunningProcesses_v2": _compute,
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": _pids,
    "nvmlDeviceGetMPSComputeRunningProcesses_v2": _pids,
    "nvmlDeviceGetEccMode": tuple,
    "nvmlDeviceGetMigMode": tuple,
}
"""What pynvml returns, as values; without an entry it is one value."""
