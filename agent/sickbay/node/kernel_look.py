"""A look at what the kernel says of GPUs, taken beside the sweeps that need one."""

from sickbay.host.blocking import in_thread
from sickbay.host.kernel_view import NOTHING_SEEN, KernelSide, KernelView
from sickbay.host.nvml.catalogue import PROCESSES
from sickbay.host.nvml.readings import Sweep

_WITHIN = 1.0
_LISTS = ("compute_pids", "mps_pids")


class KernelLook:
    """Looks in a thread with a deadline. While one is away no other is begun, and nothing is known."""

    def __init__(self, side: KernelSide | None, *, within: float = _WITHIN) -> None:
        """`within` in seconds; `side` None where nothing can be asked."""
        self._side = side
        self._within = within
        self._is_away = False

    async def beside(self, sweep: Sweep) -> KernelView | None:
        """What the kernel says now; None where this sweep needs no look, and the last one stands.

        Needed by a sweep that read the processes, and by one in which nothing could be asked of the driver.
        """
        if self._side is None or (PROCESSES not in sweep.groups and sweep.unavailable is None):
            return None
        if self._is_away:
            return NOTHING_SEEN
        self._is_away = True
        side, pids = self._side, _pids(sweep)
        try:
            return await in_thread(lambda: self._look(side, pids), deadline=self._within, name="kernel-look")
        except TimeoutError:
            return NOTHING_SEEN

    def _look(self, side: KernelSide, pids: frozenset[int]) -> KernelView:
        try:
            return side.look(pids)
        finally:
            self._is_away = False


def _pids(sweep: Sweep) -> frozenset[int]:
    listed = (gpu.values.get(name) for gpu in sweep.gpus for name in _LISTS)
    return frozenset(pid for each in listed if isinstance(each, tuple) for pid in each if pid is not None)
