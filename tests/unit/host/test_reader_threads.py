"""Threads are kept, abandoned when they hang, and never more than what is under way."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from tests.support.waiting import until

from sickbay.host.reader_threads import ReaderThreads

NAME = "readers of this test"


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


@pytest.fixture
def threads() -> Iterator[ReaderThreads]:
    made = ReaderThreads(NAME)
    yield made
    made.close()


async def test_one_thread_reads_again_and_again(threads: ReaderThreads) -> None:
    readers = {await threads.run(threading.get_ident, deadline=10.0) for _ in range(50)}
    assert len(readers) == 1
    assert len(alive()) == 1


async def test_what_is_under_way_at_a_time_has_a_thread_each(threads: ReaderThreads) -> None:
    together = threading.Barrier(3, timeout=10.0)
    await asyncio.gather(*(threads.run(together.wait, deadline=20.0) for _ in range(3)))
    assert len(alive()) == 3


async def test_an_error_is_the_callers(threads: ReaderThreads) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError):
        await threads.run(refuse, deadline=10.0)
    assert await threads.run(lambda: "on", deadline=10.0) == "on"


async def test_a_reading_that_hangs_is_abandoned_and_its_thread_taken_up_when_it_returns(
    threads: ReaderThreads,
) -> None:
    answer = threading.Event()
    with pytest.raises(TimeoutError):
        await threads.run(answer.wait, deadline=0.01)
    assert await threads.run(lambda: "meanwhile", deadline=10.0) == "meanwhile"
    assert len(alive()) == 2
    answer.set()
    await until(lambda: len(threads._idle) == 2)
    together = threading.Barrier(2, timeout=10.0)
    await asyncio.gather(*(threads.run(together.wait, deadline=20.0) for _ in range(2)))
    assert len(alive()) == 2


async def test_closed_threads_end(threads: ReaderThreads) -> None:
    await threads.run(lambda: None, deadline=10.0)
    threads.close()
    await until(lambda: not alive())
