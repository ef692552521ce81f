"""One driver call: announced in the slot, timed, and its failure turned into a return code.

The only place where pynvml's functions are called and where its exceptions are caught; NVMLError's equality
raises AttributeError against anything but another NVMLError, so none may travel further.
"""

from __future__ import annotations

import ctypes
from time import monotonic_ns

import pynvml

from sickbay.host.nvml.catalogue import CALL_IDS, FUNCTION_NOT_FOUND, SUCCESS, UNREADABLE
from sickbay.host.nvml.slot import NO_GPU, Slot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class CallFailedError(Exception):
    """NVML refused; `code` is its nvmlReturn_t, or UNREADABLE."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call}: {code}")
        self.call = call
        self.code = code


class Caller:
    """Performs calls for one thread. `latencies` maps a call to [count, total ns, longest ns]."""

    __slots__ = ("_functions", "_slot", "_structures", "latencies")

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._functions: dict[str, Callable[..., Any]] = {}
        self._structures: dict[str, tuple[Any, bytes]] = {}
        self.latencies: dict[str, list[int]] = {}

    def ask(self, call: str, *arguments: object, gpu: int = NO_GPU) -> Any:  # noqa: ANN401 - pynvml is untyped
        """What pynvml's function of that name returns; CallFailedError when it raises."""
        function = self._functions.get(call) or self._find(call)
        started = self._slot.enter(CALL_IDS[call], gpu)
        try:
            return function(*arguments)
        except pynvml.NVMLError as error:
            raise CallFailedError(call, int(getattr(error, "value", UNREADABLE))) from None
        except UnicodeDecodeError:
            # pynvml decodes every text it is given, and a dying GPU returns bytes that are none.
            raise CallFailedError(call, UNREADABLE) from None
        finally:
            self._slot.leave()
            self._record(call, monotonic_ns() - started)

    def fill(self, call: str, handle: object, type_: str, *, gpu: int) -> Any:  # noqa: ANN401 - ctypes
        """The structure of pynvml's `type_` as the driver filled it; the same one, emptied, each time."""
        structure, empty = self._structures.get(type_) or self._make(call, type_)
        ctypes.memmove(ctypes.addressof(structure), empty, len(empty))
        self.ask(call, handle, ctypes.byref(structure), gpu=gpu)
        return structure

    def _make(self, call: str, type_: str) -> tuple[Any, bytes]:
        make = getattr(pynvml, type_, None)
        if make is None:
            raise CallFailedError(call, FUNCTION_NOT_FOUND)  # as below: pynvml is too old to ask
        structure = make()
        return self._structures.setdefault(type_, (structure, bytes(structure)))

    def _find(self, call: str) -> Callable[..., Any]:
        function: Callable[..., Any] | None = getattr(pynvml, call, None)
        if call == "nvmlDeviceGetFieldValues":
            function = _raw_field_values
        if function is None:
            # An older pynvml lacks the wrapper: the same as a driver that lacks the symbol.
            raise CallFailedError(call, FUNCTION_NOT_FOUND)
        self._functions[call] = function
        return function

    def _record(self, call: str, took: int) -> None:
        latency = self.latencies.setdefault(call, [0, 0, 0])
        latency[0] += 1
        latency[1] += took
        latency[2] = max(latency[2], took)


def _raw_field_values(handle: object, count: object, values: object) -> None:
    # pynvml's wrapper builds its array anew and costs more than the calls that batching saves
    # (0.4 ms against 15 us for eight GPUs), so the driver's own function gets an array that is reused.
    find: Callable[[str], Callable[..., int]] = pynvml._nvmlGetFunctionPointer  # noqa: SLF001 - see above
    function = find("nvmlDeviceGetFieldValues")
    code = function(handle, count, values)
    if code != SUCCESS:
        raise pynvml.NVMLError(code)  # type: ignore[no-untyped-call]
