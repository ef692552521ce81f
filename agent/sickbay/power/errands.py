"""Calls to BMCs off the loop: bounded in number and in time, and never late with an effect.

A thread that nobody waits for any more may still be on its way to send a reset. Whether it may is decided
under a lock, once: either it was sent before its caller gave up, or it never will be.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from sickbay.host.blocking import in_thread

_T = TypeVar("_T")


class AbandonedError(Exception):
    """Nobody waits for this any more; nothing was sent."""


@dataclass(slots=True)
class Leave:
    """Leave to send one reset, which either its caller or its thread uses up."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_sent: bool = False
    _is_abandoned: bool = False

    def use(self) -> None:
        """Right before sending.

        Raises:
            AbandonedError: too late.
        """
        with self._lock:
            if self._is_abandoned:
                raise AbandonedError
            self._is_sent = True

    @property
    def is_used(self) -> bool:
        """Whether it was used up by sending."""
        return self._is_sent

    def withdraw(self) -> bool:
        """Nothing may be sent from now on; returns whether something was already."""
        with self._lock:
            self._is_abandoned = True
            return self._is_sent


@dataclass(slots=True)
class Errands:
    """At most `at_once` of them; one that hangs keeps its place until it comes back."""

    at_once: int
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.at_once)

    async def run(self, work: Callable[[], _T], *, deadline: float) -> _T:
        """What `work` returns or raises, within `deadline` seconds after as many for a place.

        Raises:
            TimeoutError: it has not ended, or not begun.
        """
        async with asyncio.timeout(deadline):
            await self._places.acquire()
        loop = asyncio.get_running_loop()

        def errand() -> _T:
            try:
                return work()
            finally:
                # The loop may be gone by the time a hung call comes back, and its places with it.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._places.release)

        return await in_thread(errand, deadline=deadline, name="bmc")
