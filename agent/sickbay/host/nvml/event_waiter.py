"""The thread that waits for the driver's events and passes each one on as it comes."""

from __future__ import annotations

import ctypes
import threading
from time import monotonic_ns

from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.catalogue import EVENT_WAIT_MS, TIMEOUT, WANTED_EVENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_PAUSE_AFTER_FAILURE_S = 1.0
"""A wait that fails at once (a lost GPU in the set) would otherwise spin."""


class EventWaiter:
    """Registers GPUs, then waits in a thread of its own. `send` is called from that thread."""

    def __init__(self, waiting: Caller, send: Callable[[Mapping[str, object]], None]) -> None:
        self._waiting = waiting
        self._send = send
        self._set: object = None
        self._addresses: dict[int | None, str] = {}
        self._thread: threading.Thread | None = None
        self._last_trouble = 0

    def register(self, asking: Caller, handle: object, pci: str, gpu: int) -> int:
        """Listen to one GPU; returns the mask of its events that are now delivered.

        Only bits that the GPU supports are asked for: one unsupported bit refuses the whole mask.
        CallFailedError when the driver refuses even that.
        """
        if self._set is None:
            self._set = asking.ask("nvmlEventSetCreate")
        mask = int(asking.ask("nvmlDeviceGetSupportedEventTypes", handle, gpu=gpu)) & WANTED_EVENTS
        if mask:
            asking.ask("nvmlDeviceRegisterEvents", handle, mask, self._set, gpu=gpu)
            self._addresses[_address(handle)] = pci
        return mask

    def start(self) -> None:
        """Begin to wait, once at least one GPU is registered."""
        if self._thread is None and self._addresses:
            # A daemon thread: one that is stuck in the driver must not keep the process from going.
            self._thread = threading.Thread(target=self._run, name="events", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            try:
                event = self._waiting.ask("nvmlEventSetWait", self._set, EVENT_WAIT_MS)
            except CallFailedError as error:
                if error.code != TIMEOUT:
                    self._tell_trouble(error.code)
                    pause.wait(_PAUSE_AFTER_FAILURE_S)
            else:
                self._last_trouble = 0
                self._send(self._message(event))

    def _tell_trouble(self, code: int) -> None:
        if code != self._last_trouble:
            self._last_trouble = code
            self._send({"kind": "deaf", "code": code})

    def _message(self, event: Any) -> dict[str, object]:  # noqa: ANN401 - a pynvml structure
        return {
            "kind": "event",
            "pci": self._addresses.get(_address(event.device)),
            "type": int(event.eventType),
            "data": int(event.eventData),
            "gpu_instance": int(event.gpuInstanceId),
            "compute_instance": int(event.computeInstanceId),
            "at_ns": monotonic_ns(),
        }


def _address(handle: object) -> int | None:
    return ctypes.cast(handle, ctypes.c_void_p).value  # type: ignore[arg-type]
