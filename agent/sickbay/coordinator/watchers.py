"""People who look on: each gets every change after it was committed, or is told that it fell behind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from sickbay.coordinator.store import Batch
from sickbay.core.ids import NodeName
from sickbay.core.incidents import Incident
from sickbay.core.remediation import Remediation
from sickbay.rpc.ports import Refused

Change = Incident | Remediation

QUEUE_LIMIT = 1_000
"""Changes that may wait for one watcher. One that lets more pile up is ended; it may begin anew."""


@dataclass(slots=True, eq=False)
class _Watcher:
    node: NodeName
    queue: "asyncio.Queue[Change | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))
    fell_behind: bool = False

    def tell(self, change: Change) -> None:
        """Queue a change that concerns it; never wait."""
        if self.node and change.node != self.node:
            return
        try:
            self.queue.put_nowait(change)
        except asyncio.QueueFull:
            self.fell_behind = True


class Watchers:
    """Everyone who looks on now."""

    def __init__(self) -> None:
        """Nobody, at first."""
        self._watching: set[_Watcher] = set()

    def committed(self, batch: Batch) -> None:
        """Tell everyone what a commit changed."""
        for watcher in self._watching:
            for incident in batch.incidents:
                watcher.tell(incident)
            for rem in batch.remediations:
                watcher.tell(rem)

    def end(self) -> None:
        """The coordinator stops: let every watcher finish what it has."""
        for watcher in self._watching:
            if not watcher.queue.full():
                watcher.queue.put_nowait(None)

    async def watch(self, node: NodeName, present: Callable[[], Iterable[Change]]) -> AsyncIterator[Change]:
        """What is `present` at the first step, and then every change of `node` (empty: of all).

        Both begin at the same moment, so that nothing falls in between. Ends when the coordinator stops.

        Raises:
            Refused: when the watcher does not keep up, so that it cannot take a gap for silence.
        """
        watcher = _Watcher(node)
        self._watching.add(watcher)
        try:
            for change in tuple(present()):
                yield change
            while not watcher.fell_behind and (told := await watcher.queue.get()) is not None:
                yield told
        finally:
            self._watching.discard(watcher)
        if watcher.fell_behind:
            raise Refused(f"more than {QUEUE_LIMIT} changes were waiting to be read; watch again")
