"""Blocking calls off the loop, each with a deadline of its own.

The thread is a daemon and is abandoned at the deadline: unlike asyncio's own executor, a call that hangs in
the kernel (a dead disk, a stuck file system) then holds up neither its caller nor the process's end.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


async def in_thread(work: Callable[[], _T], *, deadline: float, name: str) -> _T:
    """What `work` returns or raises, within `deadline` seconds.

    Raises:
        TimeoutError: it has not ended; it goes on in a thread that nobody waits for.
    """
    done: Future[_T] = Future()
    done.set_running_or_notify_cancel()  # From here on a caller that gives up cannot cancel it under us.

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as raised:  # noqa: BLE001 - handed to the caller, who decides what to catch
            done.set_exception(raised)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(deadline):
        return await asyncio.wrap_future(done)
