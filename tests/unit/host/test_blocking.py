"""Blocking work never outlasts its deadline for the caller."""

import asyncio
import threading

import pytest

from sickbay.host.blocking import in_thread


async def test_the_result_comes_back() -> None:
    assert await in_thread(lambda: 42, deadline=5, name="t") == 42


async def test_what_the_work_raises_is_raised_to_the_caller() -> None:
    def broken() -> None:
        raise OSError("no such disk")

    with pytest.raises(OSError, match="no such disk"):
        await in_thread(broken, deadline=5, name="t")


async def test_a_call_that_hangs_is_abandoned_at_the_deadline_and_its_end_disturbs_nobody() -> None:
    release = threading.Event()
    ended = threading.Event()

    def hang() -> None:
        release.wait()
        ended.set()

    with pytest.raises(TimeoutError):
        await in_thread(hang, deadline=0.01, name="t")
    release.set()
    await asyncio.to_thread(ended.wait, 5)
