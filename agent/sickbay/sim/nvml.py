"""A simulated libnvidia-ml, at pynvml's own boundary: an object to be set as `pynvml.nvmlLib`.

Its attributes are Python callables that receive the ctypes out-parameters which pynvml would pass to the
driver's library (`byref(x)._obj` is x), so every line of pynvml and of the worker runs unchanged. A symbol
that it lacks raises AttributeError, which is how pynvml notices an older driver.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from functools import partial

import pynvml

from sickbay.host.nvml.catalogue import GPU_IS_LOST, NOT_SUPPORTED, SUCCESS, VERSION_MISMATCH
from sickbay.sim import faults
from sickbay.sim.node_dir import FaultsInView, NodeDir
from sickbay.sim.nvml_calls import HANDLERS
from sickbay.sim.nvml_handles import gpu_of
from sickbay.sim.wakeup import Wakeup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from sickbay.sim.nvml_handles import Handler

LOOK_EVERY_S = 0.1
"""How often a call that hangs looks whether it still does."""

_NEVER = 1000

_VERSION = re.compile(r"_v\d+$")


class SimulatedGpu:
    """One GPU of the profile; `slot` is its place in the order of PCI addresses."""

    __slots__ = ("failures", "pci", "slot", "values")

    def __init__(self, slot: int, profile: Mapping[str, Any]) -> None:
        self.slot = slot
        self.pci: str = profile["pci"]
        self.values: dict[str, Any] = profile["values"]
        self.failures: dict[str, int] = profile["failures"]


class SimulatedNvml:
    """The library of one simulated node. Safe to be called from several threads, as NVML is."""

    def __init__(self, path: Path, *, on_due: Callable[[], None] | None = None) -> None:
        """`on_due` is called when a fault has come due while events are waited for."""
        node = NodeDir(path)
        profile = node.read_profile()
        self.driver_version: str = profile["driver_version"]
        self.nvml_version: str = profile["nvml_version"]
        self.supported_events: int = profile["supported_events"]
        self._lacks = frozenset(profile["lacks"])
        self.lacked_fields = frozenset(
            number for name, number in vars(pynvml).items() if name in self._lacks and name[:8] == "NVML_FI_"
        )
        ordered = sorted(profile["gpus"], key=lambda gpu: str(gpu["pci"]))
        self.gpus = [SimulatedGpu(slot, gpu) for slot, gpu in enumerate(ordered)]
        self._view = FaultsInView(node)
        self._on_due = on_due
        self._file = node.faults
        self._wakeup: Wakeup | None = None
        self._pause = threading.Event()
        self._registered: dict[int, tuple[int, float]] = {}
        self._waiting: list[tuple[int, int, int]] = []
        self._told: set[int] = set()
        self._due()

    def __getattr__(self, name: str) -> Callable[..., int]:
        """The symbol of that name; AttributeError when the simulated driver lacks it."""
        handler = HANDLERS.get(name)
        if handler is None or name in self._lacks:
            raise AttributeError(name)
        return partial(self._call, name, handler)

    # What the handlers ask.

    def listed(self) -> list[SimulatedGpu]:
        """The GPUs that the driver lists, in NVML's order."""
        records, now = self._view.look(), self._view.uptime()
        return [gpu for gpu in self.gpus if not _any(records, "missing", gpu.slot, now)]

    def state(self, gpu: SimulatedGpu) -> tuple[list[dict[str, Any]], float]:
        """The faults that a GPU has now, and when that is."""
        records, now = self._view.look(), self._view.uptime()
        return [r for r in records if r["gpu"] == gpu.slot and faults.is_active(r, now)], now

    @staticmethod
    def reading(gpu: SimulatedGpu, name: str, state: tuple[list[dict[str, Any]], float]) -> tuple[int, Any]:
        """(return code, value) of a reading of a GPU in a state."""
        if name in gpu.failures:
            return gpu.failures[name], None
        value = gpu.values.get(name)
        if value is None:
            return NOT_SUPPORTED, None
        active, now = state
        if not active:
            return SUCCESS, value
        value = faults.reading(name, value, active, now)
        if name == "clocks_reasons":
            heat = faults.reading("temperature", gpu.values.get("temperature", 0), active, now)
            value = faults.clocks_under_heat(value, heat, _slowdown_at(gpu.values))
        if name == "margin":
            cool = gpu.values.get("temperature", 0)
            value -= faults.reading("temperature", cool, active, now) - cool
        return SUCCESS, value

    def register(self, gpu: SimulatedGpu, mask: int) -> int:
        """Deliver some events of a GPU from now on."""
        if mask & ~self.supported_events:
            return NOT_SUPPORTED
        self._registered[gpu.slot] = (mask, self._view.uptime())
        return SUCCESS

    def wait(self, timeout: float) -> tuple[int, int, int] | None:
        """The next event as (slot, type, data); None when `timeout` seconds have passed."""
        until = self._view.uptime() + timeout
        # Only who waits takes one of the kernel's watches, and before looking, so that nothing is missed.
        wakeup = self._wakeup = self._wakeup or Wakeup(self._file)
        while not self._waiting:
            self._gather()
            left = until - self._view.uptime()
            if self._waiting or left <= 0:
                break
            wakeup.wait(min(left, self._next_due()))
        return self._waiting.pop(0) if self._waiting else None

    def _next_due(self) -> float:
        now = self._view.uptime()
        return min((record["at"] - now for record in self._view.look() if record["at"] > now), default=3600.0)

    def _due(self) -> list[dict[str, Any]]:
        # By id and not by time: a fault is in the file a little later than it says that it happened.
        records, now = self._view.look(), self._view.uptime()
        due = [record for record in records if record["at"] <= now and record["id"] not in self._told]
        self._told.update(record["id"] for record in due)
        return due

    def _gather(self) -> None:
        due = self._due()
        if due and self._on_due is not None:
            self._on_due()
        for record in due:
            mask, begun = self._registered.get(record["gpu"], (0, 0.0))
            told = [event for event in faults.events_of(record) if event[0] & mask]
            if record["at"] >= begun:
                self._waiting += [(record["gpu"], type_, data) for type_, data in told]

    # What every call goes through.

    def _call(self, name: str, handler: Handler, *arguments: Any) -> int:  # noqa: ANN401 - ctypes
        gpu = gpu_of(self, name, arguments)
        if isinstance(gpu, int):
            return gpu
        code = self._fault(_VERSION.sub("", name), gpu)
        return code if code != SUCCESS else handler(self, gpu, arguments)

    def _fault(self, call: str, gpu: SimulatedGpu | None) -> int:
        records = self._view.look()
        if not records:
            return SUCCESS
        if call.startswith("nvmlInit") and _any(records, "driver_mismatch", None, self._view.uptime()):
            return VERSION_MISMATCH
        slot = gpu.slot if gpu is not None else None
        self._hang(call, slot)
        if self._active("crash", call, slot) is not None:
            os.kill(os.getpid(), signal.SIGSEGV)
        now = self._view.uptime()
        if gpu is not None and _any(records, "lost", gpu.slot, now):
            return GPU_IS_LOST
        returns = self._active("returns", call, slot)
        return SUCCESS if returns is None else int(returns["code"])

    def _hang(self, call: str, slot: int | None) -> None:
        began = self._view.uptime()
        while (hang := self._active("hang", call, slot)) is not None:
            left = hang["seconds"] - (self._view.uptime() - began) if hang["seconds"] else LOOK_EVERY_S
            if left <= 0:
                return
            self._pause.wait(min(LOOK_EVERY_S, left))

    def _active(self, fault: str, call: str, slot: int | None) -> dict[str, Any] | None:
        now = self._view.uptime()
        for record in self._view.look():
            if (
                record["fault"] == fault
                and record["call"] == call
                and (record["gpu"] is None or record["gpu"] == slot)
                and faults.is_active(record, now)
            ):
                return record
        return None


def _slowdown_at(values: Mapping[str, Any]) -> int:
    """The board's own threshold in Celsius; of one that tells distances alone, where they come to nothing."""
    told: int | None = values.get("slowdown_at")
    if told is not None or not {"temperature", "margin", "tlimit_slowdown"} <= values.keys():
        return _NEVER if told is None else told
    return int(values["temperature"] + values["margin"] - values["tlimit_slowdown"])


def _any(records: list[dict[str, Any]], fault: str, slot: int | None, now: float) -> bool:
    return any(
        record["fault"] == fault and record["gpu"] == slot and faults.is_active(record, now)
        for record in records
    )
