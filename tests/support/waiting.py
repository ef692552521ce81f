"""Waiting for something to become so, with a deadline; never for a time to pass."""

import asyncio
import time
from collections.abc import Callable

PATIENCE = 30.0
"""Seconds before a test gives up: long, because the machine is shared, and only a failure waits for it."""

_LOOK_EVERY = 0.01


async def until(holds: Callable[[], object], *, patience: float = PATIENCE) -> None:
    """Return once `holds()` is true; the test fails when that does not come."""
    async with asyncio.timeout(patience):
        while not holds():
            await asyncio.sleep(_LOOK_EVERY)


def wait_until(holds: Callable[[], object], *, patience: float = PATIENCE) -> None:
    """The same for a test without a loop."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(_LOOK_EVERY)
