"""The only module that reads a clock or sleeps."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

from sickbay.core.instants import Instant


class Clock(Protocol):
    """A source of instants, and of waiting."""

    def now(self) -> Instant:
        """This moment on both clocks."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; a cancelled sleep raises asyncio.CancelledError."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """CLOCK_MONOTONIC and CLOCK_REALTIME of the machine."""

    def now(self) -> Instant:
        """This moment. CLOCK_MONOTONIC is the clock of the kernel log's stamps, but for drift of its rate."""
        return Instant(mono=time.monotonic(), wall=time.time())  # noqa: TID251 - this is the one module

    async def sleep(self, seconds: float) -> None:
        """Leave the loop to others for `seconds`."""
        await asyncio.sleep(seconds)
