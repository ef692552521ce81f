"""What the monitors make of one sweep, with what they must remember from one to the next."""

import os
from dataclasses import dataclass

from sickbay.core.devices import Inventory
from sickbay.core.signals import Signal
from sickbay.host.nvml.readings import Sweep
from sickbay.monitors import driver_access, inventory
from sickbay.monitors.table import judge
from sickbay.node.status import HostStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one sweep says. `trouble` is what stands between us and the driver; empty for nothing."""

    signals: tuple[Signal, ...]
    inventory: Inventory
    trouble: str


class SweepJudgement:
    """The monitors of sickbay.monitors.table, in the order of their sweeps."""

    def __init__(self, status: HostStatus, name: str) -> None:
        """`name` stands before the driver's version in the inventory: `nvidia`, or `simulated`."""
        self._status = status
        self._name = name
        self._kernel = os.uname().release
        self._previous: Sweep | None = None

    def __call__(self, sweep: Sweep) -> Judged:
        """Judge one sweep. One in which nobody answered leaves the inventory as it was."""
        signals = judge(sweep, self._previous, self._status.baseline)
        self._previous = sweep
        return Judged(
            signals=signals,
            inventory=self._shown(sweep),
            trouble=driver_access.trouble(sweep),
        )

    def _shown(self, sweep: Sweep) -> Inventory:
        if sweep.unavailable is not None or sweep.broken_off:
            return self._status.inventory
        source = f"{self._name} {sweep.driver_version}" if self._name != "simulated" else self._name
        return inventory.inventory_of(sweep, nvml=source.strip(), kernel=self._kernel)
