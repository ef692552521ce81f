"""The one process that loads NVML: it does what the agent asks, and may hang without harm.

Started as `python -m sickbay.host.nvml.worker SOCKET_FD SLOT_FD`. It never calls nvmlShutdown: leaving is
what frees the device for certain, and a call less is a hang less.

Imports stay few and plain: this process's memory is paid on every host.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading

import pynvml

from sickbay.host.nvml import catalogue, framing
from sickbay.host.nvml.calls import Caller, CallFailedError
from sickbay.host.nvml.event_waiter import EventWaiter
from sickbay.host.nvml.field_batch import Batches
from sickbay.host.nvml.gpu_reader import GpuReader
from sickbay.host.nvml.slot import EVENTS, SWEEP, Slot, map_slots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_USAGE = "usage: python -m sickbay.host.nvml.worker SOCKET_FD SLOT_FD (started by sickbay-agent)"


_PR_SET_PDEATHSIG = 1
"""prctl(2): the agent's death ends a worker that is in a call and so cannot notice."""


class Worker:
    """The driver's side of the conversation: one request, one answer, and events in between."""

    def __init__(self, peer: socket.socket, slots: tuple[Slot, Slot]) -> None:
        self._peer = peer
        self._sending = threading.Lock()
        self._caller = Caller(slots[SWEEP])
        self._events = EventWaiter(Caller(slots[EVENTS]), self.send)
        self._batches = Batches()
        self._readers: dict[str, GpuReader] = {}
        self._deaf: dict[str, int] = {}

    def send(self, message: Mapping[str, object]) -> None:
        """Write one message whole; from any thread."""
        with self._sending:
            self._peer.sendall(framing.encode(message))

    def run(self) -> int:
        """Serve until the agent goes or says stop; returns the exit status."""
        if not self._start():
            return 3
        while (request := framing.receive(self._peer)) is not None and request.get("do") != "stop":
            self.send(self._sweep(request))
            if request.get("events"):
                self._events.start()
        return 0

    def _start(self) -> bool:
        ask = self._caller.ask
        try:
            # No failure with zero GPUs: how many there are is an observation, not an error.
            ask("nvmlInitWithFlags", pynvml.NVML_INIT_FLAG_NO_GPUS)
            about = {
                "driver": ask("nvmlSystemGetDriverVersion"),
                "nvml": ask("nvmlSystemGetNVMLVersion"),
                "count": int(ask("nvmlDeviceGetCount")),
            }
        except CallFailedError as error:
            self.send({"kind": "failed", "call": error.call, "code": error.code})
            return False
        self.send({"kind": "started", **about})
        return True

    def _sweep(self, request: Mapping[str, object]) -> dict[str, object]:
        if request.get("relearn"):
            for reader in self._readers.values():
                reader.relearn()
        groups = frozenset(_texts(request.get("groups")))
        events = bool(request.get("events"))
        gpus = [
            self._read(target, gpu, groups, events=events)
            for gpu, target in enumerate(_texts(request.get("gpus")))
        ]
        return {
            "kind": "sweep",
            "id": request.get("id"),
            "count": self._count(),
            "gpus": gpus,
            "calls": self._caller.latencies,
        }

    def _count(self) -> int | None:
        try:
            return int(self._caller.ask("nvmlDeviceGetCount"))
        except CallFailedError:
            return None

    def _read(self, target: str, gpu: int, groups: frozenset[str], *, events: bool) -> dict[str, object]:
        try:
            reader = self._readers.get(target) or self._open(target, gpu, events=events)
        except CallFailedError as error:
            return {"target": target, "pci": None, "code": error.code, "values": {}, "codes": {}}
        found = reader.read(groups, gpu)
        if reader.pci in self._deaf:
            found.codes["events"] = self._deaf[reader.pci]
        return {
            "target": target,
            "pci": reader.pci,
            "code": catalogue.GPU_IS_LOST if found.lost else catalogue.SUCCESS,
            "values": found.values,
            "codes": found.codes,
        }

    def _open(self, target: str, gpu: int, *, events: bool) -> GpuReader:
        # A target is `0000:1b:00`, or `#3` for NVML's index while the address is not known yet.
        if target.startswith("#"):
            handle = self._caller.ask("nvmlDeviceGetHandleByIndex", int(target[1:]), gpu=gpu)
            pci = self._address_of(handle, gpu)
        else:
            handle = self._caller.ask("nvmlDeviceGetHandleByPciBusId", f"{target}.0", gpu=gpu)
            pci = target
        reader = self._readers[target] = self._readers[pci] = GpuReader(
            self._caller, handle, pci, self._batches
        )
        if events:
            self._listen(handle, pci, gpu)
        return reader

    def _address_of(self, handle: object, gpu: int) -> str:
        bus_id = self._caller.ask("nvmlDeviceGetPciInfo", handle, gpu=gpu).busId
        try:
            return catalogue.short_bus_id(bus_id.decode() if isinstance(bus_id, bytes) else bus_id)
        except ValueError:
            raise CallFailedError("nvmlDeviceGetPciInfo", catalogue.UNREADABLE) from None

    def _listen(self, handle: object, pci: str, gpu: int) -> None:
        try:
            self._events.register(self._caller, handle, pci, gpu)
        except CallFailedError as error:
            self._deaf[pci] = error.code


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _tell_of_defects(worker: Worker) -> None:
    # Standard error goes nowhere (see worker_process.py), so a defect is told over the socket.
    def tell(error: BaseException | None) -> None:
        trace = error.__traceback__ if error is not None else None
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
        with contextlib.suppress(OSError):
            worker.send({"kind": "broken", "text": f"{type(error).__name__}: {error}{place}"})

    sys.excepthook = lambda _type, error, _trace: tell(error)
    threading.excepthook = lambda failure: tell(failure.exc_value)


def main(arguments: list[str]) -> int:
    """Serve on the descriptors named by `arguments`; returns the exit status."""
    if len(arguments) != 2 or not all(argument.isdigit() for argument in arguments):  # noqa: PLR2004 - usage
        sys.stderr.write(_USAGE + "\n")
        return 2
    # The terminal's ^C is the agent's to answer. SIGTERM keeps its default: a Python handler would never run
    # while the driver holds the thread.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    peer = socket.socket(fileno=int(arguments[0]))
    memory = map_slots(int(arguments[1]))
    worker = Worker(peer, (Slot(memory, SWEEP), Slot(memory, EVENTS)))
    _tell_of_defects(worker)
    try:
        return worker.run()
    except (BrokenPipeError, ConnectionResetError):
        return 0  # the agent has gone, and so has the reason to be here


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # Past the interpreter's own tidying: the event thread may be inside the driver, and waiting for it or
    # unloading the library under it are both ways to hang.
    os._exit(status)
