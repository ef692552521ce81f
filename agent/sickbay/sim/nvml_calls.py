"""The symbols of the simulated libnvidia-ml: each fills its out-parameters as nvml.h says."""

from __future__ import annotations

import ctypes

from sickbay.host.nvml.catalogue import INVALID_ARGUMENT, SUCCESS, TIMEOUT
from sickbay.sim.nvml_fields import FIELD_HANDLERS
from sickbay.sim.nvml_handles import (
    FIRST_HANDLE,
    as_bytes,
    gpu_handle,
    number,
    numbers,
    of_gpu,
    one_of,
    out,
    plain,
    point,
    text,
)
from sickbay.sim.nvml_structures import STRUCTURE_HANDLERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from sickbay.sim.nvml import SimulatedGpu, SimulatedNvml
    from sickbay.sim.nvml_handles import Arguments, Handler

_NO_INSTANCE = 0xFFFFFFFF


def _succeed(_library: SimulatedNvml, _gpu: SimulatedGpu | None, _arguments: Arguments) -> int:
    return SUCCESS


def _count(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    out(arguments[0]).value = len(library.listed())
    return SUCCESS


def _handle(_library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    point(out(arguments[1]), gpu_handle(gpu.slot))
    return SUCCESS


def _version(attribute: str) -> Handler:
    def handler(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
        arguments[0].value = as_bytes(getattr(library, attribute))
        return SUCCESS

    return handler


def _pci_info(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
    info = out(arguments[1])
    domain, bus, device = gpu.pci.split(":")
    info.domain, info.bus, info.device = int(domain, 16), int(bus, 16), int(device, 16)
    info.busId = f"{int(domain, 16):08X}:{bus.upper()}:{device.upper()}.0".encode()
    info.busIdLegacy = f"{gpu.pci.upper()}.0".encode()
    code, device_id = library.reading(gpu, "pci_device_id", library.state(gpu))
    info.pciDeviceId = int(device_id, 16) if code == SUCCESS else 0
    code, subsystem_id = library.reading(gpu, "pci_subsystem_id", library.state(gpu))
    info.pciSubSystemId = int(subsystem_id, 16) if code == SUCCESS else 0
    return SUCCESS


def _event_set(_library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    point(out(arguments[0]), FIRST_HANDLE)
    return SUCCESS


def _supported_events(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    out(arguments[1]).value = library.supported_events
    return SUCCESS


def _register(library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    return INVALID_ARGUMENT if gpu is None else library.register(gpu, plain(arguments[1]))


def _wait(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    event = library.wait(plain(arguments[2]) / 1000)
    if event is None:
        return TIMEOUT
    slot, type_, data = event
    told = out(arguments[1])
    ctypes.c_void_p.from_buffer(told).value = gpu_handle(slot)  # `device` comes first
    told.eventType, told.eventData = type_, data
    told.gpuInstanceId = told.computeInstanceId = _NO_INSTANCE
    return SUCCESS


HANDLERS: Mapping[str, Handler] = {
    "nvmlInitWithFlags": _succeed,
    "nvmlInit_v2": _succeed,
    "nvmlShutdown": _succeed,
    "nvmlSystemGetDriverVersion": _version("driver_version"),
    "nvmlSystemGetNVMLVersion": _version("nvml_version"),
    "nvmlDeviceGetCount_v2": _count,
    "nvmlDeviceGetHandleByIndex_v2": of_gpu(_handle),
    "nvmlDeviceGetHandleByPciBusId_v2": of_gpu(_handle),
    "nvmlDeviceGetPciInfo_v3": of_gpu(_pci_info),
    "nvmlDeviceGetUUID": text("uuid"),
    "nvmlDeviceGetSerial": text("serial"),
    "nvmlDeviceGetVbiosVersion": text("vbios"),
    "nvmlDeviceGetInforomImageVersion": text("inforom_version"),
    "nvmlDeviceGetInforomConfigurationChecksum": number("inforom_checksum"),
    "nvmlDeviceGetTemperatureThreshold": one_of(
        {(0,): "shutdown_at", (1,): "slowdown_at", (2,): "memory_max_at", (3,): "gpu_max_at"},
    ),
    "nvmlDeviceGetTemperature": number("temperature", at=2),
    "nvmlDeviceGetCurrentClocksEventReasons": number("clocks_reasons"),
    "nvmlDeviceGetCurrentClocksThrottleReasons": number("clocks_reasons"),
    "nvmlDeviceGetPerformanceState": number("performance_state"),
    # Error type, counter, location, as nvml.h numbers them; the other locations are not simulated.
    "nvmlDeviceGetMemoryErrorCounter": one_of(
        {
            (0, 0, 2): "dram_corrected",
            (1, 0, 2): "dram_uncorrected",
            (0, 1, 2): "dram_corrected_aggregate",
            (1, 1, 2): "dram_uncorrected_aggregate",
            (0, 0, 7): "sram_corrected",
            (1, 0, 7): "sram_uncorrected",
            (0, 1, 7): "sram_corrected_aggregate",
            (1, 1, 7): "sram_uncorrected_aggregate",
        },
    ),
    "nvmlDeviceGetCurrPcieLinkGeneration": number("pcie_gen"),
    "nvmlDeviceGetCurrPcieLinkWidth": number("pcie_width"),
    "nvmlDeviceGetMaxPcieLinkGeneration": number("pcie_max_gen"),
    "nvmlDeviceGetMaxPcieLinkWidth": number("pcie_max_width"),
    "nvmlDeviceGetGpuMaxPcieLinkGeneration": number("pcie_gpu_max_gen"),
    "nvmlDeviceGetPersistenceMode": number("persistence_mode"),
    "nvmlDeviceGetEccMode": numbers("ecc_mode", "ecc_mode_pending"),
    "nvmlDeviceGetComputeMode": number("compute_mode"),
    "nvmlDeviceGetMigMode": numbers("mig_mode", "mig_mode_pending"),
    "nvmlDeviceGetMaxMigDeviceCount": number("mig_max_devices"),
    "nvmlDeviceGetVirtualizationMode": number("virtualization_mode"),
    "nvmlDeviceGetModuleId": number("module_id"),
    "nvmlDeviceGetSupportedEventTypes": _supported_events,
    "nvmlDeviceRegisterEvents": _register,
    "nvmlEventSetCreate": _event_set,
    "nvmlEventSetFree": _succeed,
    "nvmlEventSetWait_v2": _wait,
    **FIELD_HANDLERS,
    **STRUCTURE_HANDLERS,
}
