"""Handles of the simulated libnvidia-ml, and how its symbols read and fill what pynvml passes them."""

from __future__ import annotations

import ctypes

from sickbay.host.nvml.catalogue import INVALID_ARGUMENT, NOT_FOUND, SUCCESS, short_bus_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sickbay.sim.nvml import SimulatedGpu, SimulatedNvml

    Arguments = tuple[Any, ...]
    Handler = Callable[[SimulatedNvml, SimulatedGpu | None, Arguments], int]
    GpuHandler = Callable[[SimulatedNvml, SimulatedGpu, Arguments], int]

FIRST_HANDLE = 0x1000
_HANDLE_STEP = 0x10
_FIRST_MIG_HANDLE = 0x100000
_MIG_HANDLES = 0x100
"""A GPU's own; MIG devices have handles beyond those of GPUs."""


def gpu_of(library: SimulatedNvml, name: str, arguments: Arguments) -> SimulatedGpu | int | None:
    """The GPU that a call is about; None for none; a return code when the arguments name no GPU."""
    if name == "nvmlDeviceGetHandleByIndex_v2":
        listed, index = library.listed(), plain(arguments[0])
        return listed[index] if index < len(listed) else INVALID_ARGUMENT
    if name == "nvmlDeviceGetHandleByPciBusId_v2":
        try:
            wanted = short_bus_id(plain(arguments[0]).decode())
        except ValueError:
            return INVALID_ARGUMENT
        return next((gpu for gpu in library.listed() if gpu.pci == wanted), NOT_FOUND)
    if name.startswith("nvmlDevice") and name != "nvmlDeviceGetCount_v2":
        slot = _slot(_address(arguments[0]))
        return library.gpus[slot] if 0 <= slot < len(library.gpus) else INVALID_ARGUMENT
    return None


def _address(handle: Any) -> int:  # noqa: ANN401 - a ctypes pointer
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def _slot(address: int) -> int:
    if address >= _FIRST_MIG_HANDLE:
        return (address - _FIRST_MIG_HANDLE) // _MIG_HANDLES
    slot, rest = divmod(address - FIRST_HANDLE, _HANDLE_STEP)
    return -1 if rest else slot


def mig_place(handle: Any) -> int | None:  # noqa: ANN401 - a ctypes pointer
    """A MIG device's number on its GPU; None for a GPU's own handle."""
    address = _address(handle)
    return (address - _FIRST_MIG_HANDLE) % _MIG_HANDLES if address >= _FIRST_MIG_HANDLE else None


def gpu_handle(slot: int) -> int:
    """The address that stands for a GPU."""
    return FIRST_HANDLE + slot * _HANDLE_STEP


def mig_handle(slot: int, place: int) -> int:
    """The address that stands for a MIG device of a GPU."""
    return _FIRST_MIG_HANDLE + slot * _MIG_HANDLES + place


def plain(argument: Any) -> Any:  # noqa: ANN401 - a ctypes value or what it holds
    """An argument by value."""
    return getattr(argument, "value", argument)


def out(argument: Any) -> Any:  # noqa: ANN401 - what a byref() points to, or an array itself
    """An argument to be filled."""
    return getattr(argument, "_obj", argument)


def point(pointer: Any, address: int) -> None:  # noqa: ANN401 - a ctypes pointer
    """Let a pointer stand for a handle."""
    ctypes.c_void_p.from_buffer(pointer).value = address


def as_bytes(text: object) -> bytes:
    """Text that is none is written in a profile as lone surrogates, and comes out as the bytes they hold."""
    return str(text).encode("utf-8", "surrogateescape")


def of_gpu(handler: GpuHandler) -> Handler:
    """A symbol that is about one GPU."""

    def handle(library: SimulatedNvml, gpu: SimulatedGpu | None, arguments: Arguments) -> int:
        return INVALID_ARGUMENT if gpu is None else handler(library, gpu, arguments)

    return handle


def reading(name: str, put: Callable[[Arguments, Any], None]) -> Handler:
    """A symbol that tells one reading."""

    def handler(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
        code, value = library.reading(gpu, name, library.state(gpu))
        if code == SUCCESS:
            put(arguments, value)
        return code

    return of_gpu(handler)


def readings(names: tuple[str, ...], put: Callable[[Arguments, list[Any]], None]) -> Handler:
    """A symbol that tells several readings, and none of them when it refuses one."""

    def handler(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
        code, values = several(library, gpu, names)
        if code == SUCCESS:
            put(arguments, values)
        return code

    return of_gpu(handler)


def several(library: SimulatedNvml, gpu: SimulatedGpu, names: tuple[str, ...]) -> tuple[int, list[Any]]:
    """(return code of the first that is refused, values) of several readings."""
    state = library.state(gpu)
    answers = [library.reading(gpu, name, state) for name in names]
    code = next((code for code, _ in answers if code != SUCCESS), SUCCESS)
    return code, [value for _, value in answers]


def number(name: str, *, at: int = 1) -> Handler:
    """A symbol that writes one number through its argument `at`."""

    def put(arguments: Arguments, value: Any) -> None:  # noqa: ANN401 - by reading
        out(arguments[at]).value = value

    return reading(name, put)


def numbers(*names: str) -> Handler:
    """A symbol that writes a number through each argument after the handle."""

    def put(arguments: Arguments, values: list[Any]) -> None:
        for argument, value in zip(arguments[1:], values, strict=True):
            out(argument).value = value

    return readings(names, put)


def attributes(**names: str) -> Handler:
    """A symbol that fills members of a structure: member = reading."""

    def put(arguments: Arguments, values: list[Any]) -> None:
        for member, value in zip(names, values, strict=True):
            setattr(out(arguments[1]), member, value)

    return readings(tuple(names.values()), put)


def text(name: str) -> Handler:
    """A symbol that writes a text into a buffer."""

    def put(arguments: Arguments, value: Any) -> None:  # noqa: ANN401 - by reading
        arguments[1].value = as_bytes(value)

    return reading(name, put)


def one_of(names: dict[tuple[int, ...], str]) -> Handler:
    """A symbol whose numbers, between the handle and the last argument, choose the reading."""

    def handler(library: SimulatedNvml, gpu: SimulatedGpu, arguments: Arguments) -> int:
        name = names.get(tuple(plain(argument) for argument in arguments[1:-1]))
        if name is None:
            return INVALID_ARGUMENT
        code, value = library.reading(gpu, name, library.state(gpu))
        if code == SUCCESS:
            out(arguments[-1]).value = value
        return code

    return of_gpu(handler)
