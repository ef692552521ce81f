"""Workers that nobody talks to any more: reaped when they end, never waited for."""

from sickbay.host.clock import Clock
from sickbay.host.nvml.worker_process import WorkerProcess

_LOOK_EVERY_S = 0.02


class LeftBehind:
    """Some will have gone in a moment, some hang in the driver until the next boot."""

    def __init__(self) -> None:
        self._workers: list[WorkerProcess] = []

    def part(self, worker: WorkerProcess) -> None:
        """Ask a worker that is well to go."""
        worker.leave()
        self._workers.append(worker)

    def abandon(self, worker: WorkerProcess) -> None:
        """Give a worker up that is not."""
        worker.abandon()
        self._workers.append(worker)

    def running(self) -> int:
        """How many still exist. Never blocks."""
        self._workers = [worker for worker in self._workers if worker.is_running()]
        return len(self._workers)

    async def gone(self, clock: Clock, *, within: float) -> bool:
        """Whether all have ended, looked at for at most `within` seconds."""
        until = clock.now().mono + within
        while self.running():
            if clock.now().mono >= until:
                return False
            await clock.sleep(_LOOK_EVERY_S)
        return True
