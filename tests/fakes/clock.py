"""A clock that stands still until it is told to go on."""

import asyncio
import heapq
import itertools

from sickbay.core.instants import Instant


class FakeClock:
    """Both clocks go together; `advance` wakes whoever slept until then."""

    def __init__(self, *, wall: float = 1_700_000_000.0, mono: float = 1_000.0) -> None:
        self._now = Instant(mono=mono, wall=wall)
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> Instant:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now.mono + seconds, next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        self._now = self._now.later(seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now.mono:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    def set_wall(self, wall: float) -> None:
        """Somebody sets the machine's clock; time that passes is not touched by it."""
        self._now = Instant(mono=self._now.mono, wall=wall)

    @property
    def next_wake(self) -> float | None:
        """Seconds until the first sleeper wakes; None when nobody sleeps."""
        live = [deadline for deadline, _, future in self._sleepers if not future.done()]
        return min(live) - self._now.mono if live else None
