"""History on its way: memory is a window over the spool, and an acknowledgement never skips an event."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.node_parts import BOOT, Parts

from sickbay.core.messages import Event
from sickbay.host.spool_store import Batch
from sickbay.node import history as history_module


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    made.spool.start(made.history)
    yield made
    await made.spool.close()


def happen(parts: Parts, first: int, count: int) -> None:
    signals = [parts.xid(94, first + n) for n in range(count)]
    events = tuple(
        Event(sequence=0, id=str(signal.identity), at=1.0, boot_id=BOOT, what=signal) for signal in signals
    )
    parts.spool.append(Batch(boot_id=BOOT, events=events), now=1.0)


async def test_events_are_told_only_once_they_are_on_disk(parts: Parts) -> None:
    happen(parts, 0, 3)
    assert parts.told.sent == []
    await parts.spool.flushed()
    assert len(parts.told.sent) == 3
    assert list(parts.history.unacknowledged(10)) == parts.told.sent
    assert parts.status.spooled_events == 3


async def test_what_was_acknowledged_is_not_offered_again(parts: Parts) -> None:
    happen(parts, 0, 3)
    await parts.spool.flushed()
    await parts.history.acknowledged(parts.told.sent[1].sequence)
    assert [event.id for event in parts.history.unacknowledged(10)] == [parts.told.sent[2].id]


async def test_an_agent_that_starts_offers_what_its_predecessor_left(parts: Parts) -> None:
    happen(parts, 0, 3)
    await parts.spool.close()
    again = Parts(parts.folder)
    assert len(again.history.unacknowledged(10)) == 3
    assert again.status.spooled_events == 3


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=30))
async def test_whatever_comes_and_is_acknowledged_the_page_is_the_oldest_that_waits(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, int]],
) -> None:
    window, low = history_module.WINDOW, history_module._REFILL_BELOW
    history_module.WINDOW, history_module._REFILL_BELOW = 8, 4
    parts = Parts(tmp_path_factory.mktemp("history"))
    try:
        parts.spool.start(parts.history)
        told: list[str] = []
        happened = 0
        for count, acknowledge in steps:
            happen(parts, happened, count)
            happened += count
            await parts.spool.flushed()
            page = list(parts.history.unacknowledged(acknowledge))
            if page:
                told += [event.id for event in page]
                await parts.history.acknowledged(page[-1].sequence)
        while page := list(parts.history.unacknowledged(5)):
            told += [event.id for event in page]
            await parts.history.acknowledged(page[-1].sequence)
        assert told == [f"{BOOT}/kmsg/{number}" for number in range(happened)]
    finally:
        history_module.WINDOW, history_module._REFILL_BELOW = window, low
        await parts.spool.close()
