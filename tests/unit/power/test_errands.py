"""Calls off the loop: bounded, and never late with an effect."""

import asyncio
import threading

import pytest
from tests.support.waiting import until

from sickbay.power.errands import AbandonedError, Errands, Leave

LONG = 30.0


async def test_an_errand_brings_back_what_it_found_or_raised():
    errands = Errands(1)
    assert await errands.run(lambda: 7, deadline=LONG) == 7
    with pytest.raises(ZeroDivisionError):
        await errands.run(lambda: 1 // 0, deadline=LONG)
    assert await errands.run(lambda: 8, deadline=LONG) == 8


async def test_no_more_run_at_once_than_there_are_places():
    errands, go_on, running, most = Errands(2), threading.Event(), [], []

    def errand() -> None:
        running.append(1)
        most.append(len(running))
        go_on.wait(LONG)
        running.pop()

    tasks = [asyncio.create_task(errands.run(errand, deadline=LONG)) for _ in range(5)]
    await until(lambda: len(running) == 2)
    go_on.set()
    await asyncio.gather(*tasks)
    assert max(most) <= 2


async def test_a_hung_errand_keeps_its_place_until_it_comes_back():
    errands, go_on = Errands(1), threading.Event()
    with pytest.raises(TimeoutError):
        await errands.run(lambda: go_on.wait(LONG), deadline=0.05)
    with pytest.raises(TimeoutError):
        await errands.run(lambda: None, deadline=0.05)
    go_on.set()
    assert await errands.run(lambda: "in", deadline=LONG) == "in"


def test_what_was_abandoned_is_never_sent():
    leave = Leave()
    assert not leave.withdraw()
    with pytest.raises(AbandonedError):
        leave.use()


def test_what_was_sent_cannot_be_taken_back_and_is_known_to_be_sent():
    leave = Leave()
    leave.use()
    assert leave.withdraw()
    assert leave.is_used
