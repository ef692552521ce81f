"""A process is a flat list of named root tasks: when one ends, all end, and it is said which."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping

_LOG = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds that cancelled tasks are waited for; one that does not take notice is left to the process's end."""


async def until_one_ends(roots: Mapping[str, Coroutine[object, object, None]], *, orderly: str) -> int:
    """Run them all; the exit status: 0 when the task named `orderly` ended first, without an error."""
    tasks = [asyncio.create_task(root, name=name) for name, root in roots.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_PATIENCE)
    return max(_status(task, orderly) for task in done)


def _status(task: "asyncio.Task[None]", orderly: str) -> int:
    if task.cancelled():
        return 1
    error = task.exception()
    if error is not None:
        _LOG.critical("%s ended by an error, and so do we", task.get_name(), exc_info=error)
        return 1
    if task.get_name() == orderly:
        _LOG.info("%s: stopping", orderly)
        return 0
    _LOG.critical("%s ended, and so do we", task.get_name())
    return 1
