"""Threads that read for ever, kept between readings: to start one costs more than most readings do.

As in `sickbay.host.blocking`, a reading is abandoned at its deadline. Its thread then serves nobody else
until it comes back, and the next reading has another.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")
_Inbox = SimpleQueue[Callable[[], None] | None]


class ReaderThreads:
    """As many threads as readings are under way at a time, and no more. They are daemons."""

    def __init__(self, name: str) -> None:
        """`name` is that of each thread."""
        self._name = name
        self._idle: list[_Inbox] = []

    async def run(self, work: Callable[[], _T], *, deadline: float) -> _T:
        """What `work` returns or raises, within `deadline` seconds.

        Raises:
            TimeoutError: it has not ended; it goes on, and nobody waits for it.
        """
        done: Future[_T] = Future()
        done.set_running_or_notify_cancel()  # From here on a caller that gives up cannot cancel it under us.
        inbox = self._idle.pop() if self._idle else self._started()

        def job() -> None:
            try:
                result = work()
            except BaseException as raised:  # noqa: BLE001 - handed to the caller, who decides what to catch
                self._idle.append(inbox)
                done.set_exception(raised)
            else:
                # Idle first: whoever is woken by the result finds this thread, and starts no other.
                self._idle.append(inbox)
                done.set_result(result)

        inbox.put(job)
        async with asyncio.timeout(deadline):
            return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Let those go that wait for work; one that never came back ends with the process."""
        while self._idle:
            self._idle.pop().put(None)

    def _started(self) -> _Inbox:
        inbox: _Inbox = SimpleQueue()
        threading.Thread(target=_serve, args=(inbox,), name=self._name, daemon=True).start()
        return inbox


def _serve(inbox: _Inbox) -> None:
    while (job := inbox.get()) is not None:
        job()
