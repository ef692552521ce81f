"""The GPUs, from the driver's worker to the judge: sweeps at an interval, events as they come.

The interval is spread at random, so that the agents of a fleet do not all read in the same second. A sweep
that broke off because a call hung is repeated at once: the other GPUs miss one reading, not an interval.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import NoReturn

from sickbay.core.devices import Inventory
from sickbay.core.outcomes import Outcome
from sickbay.core.signals import Signal
from sickbay.host.clock import Clock
from sickbay.host.kernel_view import KernelSide, KernelView
from sickbay.host.nvml.readings import Sweep
from sickbay.host.nvml.source import NvmlSource
from sickbay.node.judge import Judge
from sickbay.node.kernel_look import KernelLook
from sickbay.node.status import sight_of
from sickbay.node.sweep_judgement import Judged

NAME = "nvml"
"""The monitor's own name in signals of kind `monitor`."""

_AGAIN = 1.0
_ANSWER_WITHIN = 0.8
_SWEEP_WITHIN = 12.0
"""Seconds that a coordinator's SWEEP is waited for: less than it waits itself."""


class GpuWatch:
    """Sweeps until cancelled. With no driver to watch, `source` is None and answers come at once."""

    def __init__(
        self,
        *,
        clock: Clock,
        judge: Judge,
        source: NvmlSource | None,
        judged: Callable[[Sweep, KernelView | None], Judged],
        interval: float,
        jitter: float,
        beside: KernelSide | None = None,
    ) -> None:
        """`interval` in seconds; `jitter` is the share of it by which sweeps are spread.

        `beside` is what the kernel can be asked, apart from the driver's library.
        """
        self._clock = clock
        self._judge = judge
        self._source = source
        self._judged = judged
        self._interval = interval
        self._jitter = jitter
        self._look = KernelLook(beside)
        self._wanted = asyncio.Event()
        self._begun = 0
        self._ended = 0
        self._progress = asyncio.Condition()
        self._trouble = ""
        self._releasing: asyncio.Future[Outcome] | None = None

    async def run(self) -> NoReturn:
        """Read, judge, wait."""
        if self._source is None:
            await asyncio.Event().wait()
        while True:
            self._begun += 1
            everything = self._wanted.is_set()
            self._wanted.clear()
            complete = await self._sweep(everything=everything)
            self._ended = self._begun
            async with self._progress:
                self._progress.notify_all()
            await self._pause(self._interval if complete else min(_AGAIN, self._interval))

    async def sweep_once(self) -> bool:
        """One sweep of everything, without the loop; whether it told everything."""
        return await self._sweep(everything=True)

    async def sweep_now(self, *, within: float) -> bool:
        """A sweep of everything that begins from now on; whether it ended within `within` seconds."""
        if self._source is None:
            return True
        wanted = self._begun + 1
        self._wanted.set()
        try:
            async with asyncio.timeout(within), self._progress:
                await self._progress.wait_for(lambda: self._ended >= wanted)
        except TimeoutError:
            return False
        return True

    async def directed(self) -> Outcome:
        """A coordinator's SWEEP: DONE when everything was read anew and every reading is on its way."""
        if not await self.sweep_now(within=_SWEEP_WITHIN):
            return Outcome.retry("the sweep has not ended yet")
        status = self._judge.status
        self._judge.reporter.tell_all(self._clock.now(), tuple(status.readings.values()))
        if self._trouble:
            return Outcome.unknown(f"the GPUs could not be read: {self._trouble}")
        return Outcome.done(f"{len(status.inventory.gpus)} GPUs show")

    def leave_out(self, pci: str, because: str) -> None:
        """Make no driver call about this GPU."""
        if self._source is not None:
            self._source.leave_out(pci, because)

    async def release(self, seconds: float) -> Outcome:
        """Let go of the driver for at most `seconds`; RETRY while it is not yet known to be free."""
        if self._source is None:
            return Outcome.done("this agent holds no driver")
        # Released in a task of its own: it goes on, with its end in sight, when the caller waits no longer.
        self._releasing = asyncio.ensure_future(self._source.release(seconds))
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                return await asyncio.shield(self._releasing)
        except TimeoutError:
            return Outcome.retry("the driver is being let go of; ask again before you rely on it")

    async def resume(self) -> None:
        """Take the driver again, and look at once."""
        if self._source is not None:
            await self._source.resume()
            self._wanted.set()

    async def close(self) -> None:
        """Let the worker go."""
        if self._source is not None:
            await self._source.close()

    async def _sweep(self, *, everything: bool) -> bool:
        sweep = await self._source.sweep(everything=everything) if self._source is not None else None
        if sweep is None:
            return True
        self._judge.counters.sweeps += 1
        self._judge.counters.calls = sweep.calls
        judged = self._judged(sweep, await self._look.beside(sweep))
        self._trouble = judged.trouble
        self._judge.take(self._with_sight(judged), inventory=self._news(judged.inventory))
        self._judge.learn(judged.inventory)
        if not judged.trouble:
            self._judge.status.saw(NAME, sweep.at.wall)
        return sweep.complete

    def _with_sight(self, judged: Judged) -> Sequence[Signal]:
        return (*judged.signals, sight_of(NAME, judged.trouble, self._clock.now()))

    def _news(self, inventory: Inventory) -> Inventory | None:
        return None if inventory == self._judge.status.inventory else inventory

    async def _pause(self, seconds: float) -> None:
        spread = seconds * (1.0 + random.uniform(-self._jitter, self._jitter))  # noqa: S311 - no secret
        sleeping = asyncio.ensure_future(self._clock.sleep(spread))
        asked = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait({sleeping, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            asked.cancel()
