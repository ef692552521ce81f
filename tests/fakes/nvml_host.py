"""A client over a worker process, with deadlines short enough for a test and nothing else changed."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.waiting import PATIENCE

from sickbay.host.clock import SystemClock
from sickbay.host.nvml.client import NvmlClient, NvmlSettings
from sickbay.host.nvml.exclusions import Backoff
from sickbay.host.nvml.hang_watch import Deadlines
from sickbay.host.nvml.readings import GpuState, NvmlEvent, Sweep

CALL = 1.0
"""A call's deadline here: far above what any call takes on a busy machine, far below a person's patience."""

SETTINGS = NvmlSettings(
    deadlines=Deadlines(call=CALL, slow=20.0, silence=20.0),
    restart=Backoff(first=0.05, longest=0.2),
    probation=Backoff(first=600.0, longest=3600.0),
)


def simulated(folder: Path) -> tuple[str, ...]:
    """The worker command of a simulated node."""
    return (sys.executable, "-m", "sickbay.sim.nvml_worker", str(folder))


@dataclass
class Watched:
    """A client and what it told."""

    client: NvmlClient
    events: list[NvmlEvent] = field(default_factory=list)

    async def sweep(self, *, everything: bool = False) -> Sweep:
        return await self.client.sweep(everything=everything)

    async def complete(self) -> Sweep:
        """The first sweep in which every GPU was asked."""
        return await self.until(lambda sweep: sweep.complete)

    async def until(self, holds: Callable[[Sweep], bool]) -> Sweep:
        """The first sweep of which this holds, of as many as a patient person would wait for."""
        async with asyncio.timeout(PATIENCE):
            while not holds(sweep := await self.client.sweep()):
                await asyncio.sleep(0.05)
        return sweep


def watch(command: Sequence[str], *, settings: NvmlSettings = SETTINGS, known: Sequence[str] = ()) -> Watched:
    """A client of a worker that this command starts."""
    events: list[NvmlEvent] = []
    chosen = replace(settings, command=tuple(command))
    client = NvmlClient(clock=SystemClock(), settings=chosen, on_event=events.append, known=known)
    return Watched(client=client, events=events)


def states(sweep: Sweep) -> list[GpuState]:
    """The state of each GPU, in the order of the sweep."""
    return [gpu.state for gpu in sweep.gpus]
