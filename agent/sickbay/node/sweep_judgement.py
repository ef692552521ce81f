"""What the monitors make of one sweep, with what they must remember from one to the next."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from sickbay.core.devices import Inventory
from sickbay.core.platforms import NO_PLATFORMS, Platforms
from sickbay.core.signals import Signal
from sickbay.host.kernel_view import NOTHING_SEEN, KernelView
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.monitors import driver_access, inventory
from sickbay.monitors.known import Known
from sickbay.monitors.table import SWEEP_MONITORS
from sickbay.node.status import HostStatus, sight_of

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one sweep says. `trouble` is what stands between us and the driver; empty for nothing."""

    signals: tuple[Signal, ...]
    inventory: Inventory
    trouble: str


class SweepJudgement:
    """The monitors of sickbay.monitors.table, in the order of their sweeps."""

    def __init__(
        self, status: HostStatus, name: str, platforms: Callable[[], Platforms] = lambda: NO_PLATFORMS
    ) -> None:
        """`name` stands before the driver's version in the inventory: `nvidia`, or `simulated`.

        `platforms` is asked anew for each sweep, as profiles change with the rules.
        """
        self._status = status
        self._name = name
        self._kernel = os.uname().release
        self._platforms = platforms
        self._previous: dict[str, Sweep] = {}
        self._latest: dict[tuple[str, str], GpuSweep] = {}
        self._beside = NOTHING_SEEN
        self._defective: set[str] = set()

    def __call__(self, sweep: Sweep, beside: KernelView | None = None) -> Judged:
        """Judge one sweep. One in which nobody answered leaves the inventory as it was.

        `beside` is what the kernel said just now; None when no look was taken, and the last one stands.
        """
        self._beside = beside or self._beside
        read = [gpu for gpu in sweep.gpus if gpu.state is GpuState.READ]
        self._latest |= {(group, gpu.pci): gpu for group in sweep.groups for gpu in read}
        signals: list[Signal] = []
        for name, monitor in SWEEP_MONITORS.items():
            if not monitor.group or monitor.group in sweep.groups:
                signals += self._run(name, sweep)
        # Of a group that was not due the sweep before last is still the last one.
        self._previous |= dict.fromkeys(("", *sweep.groups), sweep)
        return Judged(
            signals=tuple(signals),
            inventory=self._shown(sweep),
            trouble=driver_access.trouble(sweep),
        )

    def _run(self, name: str, sweep: Sweep) -> tuple[Signal, ...]:
        """One monitor. A defect in it makes what it watches unknown, and costs no other monitor anything."""
        detail = ""
        signals: tuple[Signal, ...] = ()
        try:
            monitor = SWEEP_MONITORS[name]
            signals = monitor.judge(sweep, self._known(monitor.group))
        except Exception as error:  # noqa: BLE001 - the monitor runner: one defect must not end the others
            detail = f"a defect in the monitor itself: {type(error).__name__}: {error}"
            if name not in self._defective:
                _LOG.exception("the monitor %s failed; the others go on", name)
        was_defective, is_defective = name in self._defective, bool(detail)
        if was_defective is is_defective:
            return signals
        self._defective ^= {name}
        return (*signals, sight_of(name, detail, sweep.at))

    def _known(self, group: str) -> Known:
        return Known(
            previous=self._previous.get(group),
            baseline=self._status.baseline,
            platforms=self._platforms(),
            kernel=self._beside,
            latest=self._latest,
            concerned=frozenset(condition.subject for condition in self._status.conditions),
        )

    def _shown(self, sweep: Sweep) -> Inventory:
        if sweep.unavailable is not None or sweep.broken_off:
            return self._status.inventory
        source = f"{self._name} {sweep.driver_version}" if self._name != "simulated" else self._name
        return inventory.inventory_of(sweep, self._known(""), nvml=source.strip(), kernel=self._kernel)
