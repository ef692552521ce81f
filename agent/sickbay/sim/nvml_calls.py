"""The symbols of the simulated libnvidia-ml: each fills its out-parameters as nvml.h says."""

from __future__ import annotations

import ctypes
import struct

from sickbay.host.nvml.catalogue import (
    INVALID_ARGUMENT,
    NOT_FOUND,
    NOT_SUPPORTED,
    NVLINK_STATES,
    SUCCESS,
    TIMEOUT,
    short_bus_id,
)
from sickbay.host.nvml.fields import FIELDS, NVLINK_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from sickbay.sim.nvml import SimulatedGpu, SimulatedNvml

    Arguments = tuple[Any, ...]
    Handler = Callable[[SimulatedNvml, SimulatedGpu | None, Arguments], int]

_FIRST_HANDLE = 0x1000
_HANDLE_STEP = 0x10
_READING_OF_FIELD = {field_id: name for name, (_, field_id) in FIELDS.items()}
NVLINK_STATE_FIELD = NVLINK_FIELDS[NVLINK_STATES][1]
_UNSIGNED_INT, _UNSIGNED_LONG_LONG = 1, 3
_WIDE_FIELDS = frozenset({3, 4, 5, 6})
# nvmlFieldValue_t: fieldId, scopeId, timestamp, latencyUsec, valueType, nvmlReturn, value.
_FIELD = struct.Struct("@IIqqIIQ")
_NO_INSTANCE = 0xFFFFFFFF


def gpu_of(library: SimulatedNvml, name: str, arguments: Arguments) -> SimulatedGpu | int | None:
    """The GPU that a call is about; None for none; a return code when the arguments name no GPU."""
    if name == "nvmlDeviceGetHandleByIndex_v2":
        listed, index = library.listed(), _plain(arguments[0])
        return listed[index] if index < len(listed) else INVALID_ARGUMENT
    if name == "nvmlDeviceGetHandleByPciBusId_v2":
        try:
            wanted = short_bus_id(_plain(arguments[0]).decode())
        except ValueError:
            return INVALID_ARGUMENT
        return next((gpu for gpu in library.listed() if gpu.pci == wanted), NOT_FOUND)
    if name.startswith("nvmlDevice") and name != "nvmlDeviceGetCount_v2":
        address = ctypes.cast(arguments[0], ctypes.c_void_p).value or 0
        slot, rest = divmod(address - _FIRST_HANDLE, _HANDLE_STEP)
        return library.gpus[slot] if not rest and 0 <= slot < len(library.gpus) else INVALID_ARGUMENT
    return None


def _plain(argument: Any) -> Any:  # noqa: ANN401 - a ctypes value or what it holds
    return getattr(argument, "value", argument)


def _out(argument: Any) -> Any:  # noqa: ANN401 - what a byref() points to, or an array itself
    return getattr(argument, "_obj", argument)


def _bytes(text: object) -> bytes:
    # Text that is none is written in a profile as lone surrogates, and comes out as the bytes that they hold.
    return str(text).encode("utf-8", "surrogateescape")


def _point(pointer: Any, slot: int) -> None:  # noqa: ANN401 - a ctypes pointer
    ctypes.c_void_p.from_buffer(pointer).value = _FIRST_HANDLE + slot * _HANDLE_STEP


def _succeed(_library: SimulatedNvml, _gpu: SimulatedGpu | None, _arguments: Arguments) -> int:
    return SUCCESS


def _count(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    _out(arguments[0]).value = len(library.listed())
    return SUCCESS


def _handle(_library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    if gpu is None:
        return INVALID_ARGUMENT
    _point(_out(arguments[1]), gpu.slot)
    return SUCCESS


def _version(attribute: str) -> Handler:
    def handler(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
        arguments[0].value = _bytes(getattr(library, attribute))
        return SUCCESS

    return handler


def _reading(name: str, put: Callable[[Arguments, Any], None]) -> Handler:
    def handler(library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
        if gpu is None:
            return INVALID_ARGUMENT
        code, value = library.reading(gpu, name, library.state(gpu))
        if code == SUCCESS:
            put(arguments, value)
        return code

    return handler


def _text(name: str) -> Handler:
    def put(arguments: Arguments, value: Any) -> None:  # noqa: ANN401 - by reading
        arguments[1].value = _bytes(value)

    return _reading(name, put)


def _number(name: str, *, at: int = 1) -> Handler:
    def put(arguments: Arguments, value: Any) -> None:  # noqa: ANN401 - by reading
        _out(arguments[at]).value = value

    return _reading(name, put)


def _attribute(name: str, attribute: str) -> Handler:
    def put(arguments: Arguments, value: Any) -> None:  # noqa: ANN401 - by reading
        setattr(_out(arguments[1]), attribute, value)

    return _reading(name, put)


def _pci_info(library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    if gpu is None:
        return INVALID_ARGUMENT
    info = _out(arguments[1])
    domain, bus, device = gpu.pci.split(":")
    info.domain, info.bus, info.device = int(domain, 16), int(bus, 16), int(device, 16)
    info.busId = f"{int(domain, 16):08X}:{bus.upper()}:{device.upper()}.0".encode()
    info.busIdLegacy = f"{gpu.pci.upper()}.0".encode()
    code, device_id = library.reading(gpu, "pci_device_id", library.state(gpu))
    info.pciDeviceId = int(device_id, 16) if code == SUCCESS else 0
    return SUCCESS


def _link_state(library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    if gpu is None:
        return INVALID_ARGUMENT
    code, state = _of_states(library.reading(gpu, NVLINK_STATES, library.state(gpu)), _plain(arguments[1]))
    if code == SUCCESS:
        _out(arguments[2]).value = state
    return code


def _field_values(library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    if gpu is None:
        return INVALID_ARGUMENT
    values, state = _out(arguments[2]), library.state(gpu)
    links = library.reading(gpu, NVLINK_STATES, state)
    for start in range(0, _plain(arguments[1]) * _FIELD.size, _FIELD.size):
        field_id, scope = _FIELD.unpack_from(values, start)[:2]
        name = _READING_OF_FIELD.get(field_id)
        if field_id == NVLINK_STATE_FIELD:
            code, value = _of_states(links, scope)
        else:
            code, value = library.reading(gpu, name, state) if name else (NOT_SUPPORTED, 0)
        type_ = _UNSIGNED_LONG_LONG if field_id in _WIDE_FIELDS else _UNSIGNED_INT
        _FIELD.pack_into(values, start, field_id, scope, 0, 1, type_, code, value or 0)
    return SUCCESS


def _of_states(states: tuple[int, Any], link: int) -> tuple[int, int]:
    code, known = states
    if code != SUCCESS:
        return code, 0
    state = known[link] if link < len(known) else None
    return (NOT_SUPPORTED, 0) if state is None else (SUCCESS, state)


def _event_set(_library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    ctypes.c_void_p.from_buffer(_out(arguments[0])).value = _FIRST_HANDLE
    return SUCCESS


def _supported_events(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    _out(arguments[1]).value = library.supported_events
    return SUCCESS


def _register(library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    return INVALID_ARGUMENT if gpu is None else library.register(gpu, _plain(arguments[1]))


def _wait(library: SimulatedNvml, _gpu: SimulatedGpu | None, arguments: Arguments) -> int:
    event = library.wait(_plain(arguments[2]) / 1000)
    if event is None:
        return TIMEOUT
    slot, type_, data = event
    told = _out(arguments[1])
    ctypes.c_void_p.from_buffer(told).value = _FIRST_HANDLE + slot * _HANDLE_STEP  # `device` comes first
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
    "nvmlDeviceGetHandleByIndex_v2": _handle,
    "nvmlDeviceGetHandleByPciBusId_v2": _handle,
    "nvmlDeviceGetPciInfo_v3": _pci_info,
    "nvmlDeviceGetUUID": _text("uuid"),
    "nvmlDeviceGetName": _text("name"),
    "nvmlDeviceGetSerial": _text("serial"),
    "nvmlDeviceGetVbiosVersion": _text("vbios"),
    "nvmlDeviceGetMemoryInfo": _attribute("memory_bytes", "total"),
    "nvmlDeviceGetTemperatureThreshold": _number("slowdown_at", at=2),
    "nvmlDeviceGetTemperatureV": _attribute("temperature", "temperature"),
    "nvmlDeviceGetTemperature": _number("temperature", at=2),
    "nvmlDeviceGetCurrentClocksEventReasons": _number("clocks_reasons"),
    "nvmlDeviceGetCurrentClocksThrottleReasons": _number("clocks_reasons"),
    "nvmlDeviceGetNvLinkState": _link_state,
    "nvmlDeviceGetFieldValues": _field_values,
    "nvmlDeviceGetSupportedEventTypes": _supported_events,
    "nvmlDeviceRegisterEvents": _register,
    "nvmlEventSetCreate": _event_set,
    "nvmlEventSetFree": _succeed,
    "nvmlEventSetWait_v2": _wait,
}
