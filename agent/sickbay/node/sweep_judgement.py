"""What the monitors make of one sweep."""

from sickbay.core.devices import Inventory
from sickbay.host.nvml.readings import Sweep
from sickbay.node.gpu_watch import Judged
from sickbay.node.status import HostStatus


class SweepJudgement:
    """The monitors of sickbay.monitors.table, with what each remembers from one sweep to the next."""

    def __init__(self, status: HostStatus) -> None:
        self._status = status

    def __call__(self, sweep: Sweep) -> Judged:
        """Signals of one sweep, the inventory that shows, and what stands in the way of seeing."""
        trouble = sweep.unavailable.reason if sweep.unavailable else ""
        return Judged(signals=(), inventory=Inventory(), trouble=trouble)
