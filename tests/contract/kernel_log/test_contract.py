"""What every kernel log promises to its reader: one suite over the real device and the simulated one."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.kernel_log.worlds import DeviceWorld, SimulatedWorld, World
from tests.support import kernel_log

from sickbay.core.ids import BootId
from sickbay.core.kernel_records import Cursor, Entry, KernelRecord, LogGap
from sickbay.host.clock import SystemClock
from sickbay.host.kmsg import Batch, KernelLog, KernelLogReader

DEADLINE_S = 10.0


@pytest.fixture(params=["simulated", pytest.param("device", marks=pytest.mark.kmsg)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "simulated":
        yield SimulatedWorld(tmp_path / "kmsg")
        return
    if reason := kernel_log.why_not():
        pytest.skip(reason)
    yield DeviceWorld()


def drain(log: KernelLog, limit: int = 256) -> list[Batch]:
    """Everything that is there now."""
    batches = [log.read_batch(limit)]
    while batches[-1].more:
        batches.append(log.read_batch(limit))
    return batches


def entries(batches: list[Batch]) -> list[Entry]:
    return [entry for batch in batches for entry in batch.entries]


def texts(batches: list[Batch]) -> list[str]:
    return [entry.text for entry in entries(batches) if isinstance(entry, KernelRecord)]


def after(world: World) -> Cursor:
    """Where the log ends now."""
    with contextlib.closing(world.open()) as log:
        cursor = drain(log)[-1].cursor
    assert cursor is not None
    return cursor


def test_a_line_is_read_with_its_text_level_and_origin(world: World):
    with contextlib.closing(world.open(after(world))) as log:
        world.write("hello; world")
        (record,) = entries(drain(log))
    assert isinstance(record, KernelRecord)
    assert (record.text, record.level, record.is_injected) == (f"{world.head}hello; world", 3, True)


def test_text_beyond_ascii_and_backslashes_come_back_as_they_were(world: World):
    with contextlib.closing(world.open(after(world))) as log:
        world.write("né \\x41 \x01")
        assert texts(drain(log)) == [f"{world.head}né \\x41 \x01"]


def test_reading_does_not_wait(world: World):
    with contextlib.closing(world.open(after(world))) as log:
        drain(log)
        assert log.read_batch(8).entries == ()


def test_a_reader_goes_on_after_its_cursor_without_a_gap(world: World):
    world.write("one")
    cursor = after(world)
    world.write("two")
    world.write("three")
    with contextlib.closing(world.open(cursor)) as log:
        found = drain(log)
    assert texts(found) == [f"{world.head}two", f"{world.head}three"]
    assert not [entry for entry in entries(found) if isinstance(entry, LogGap)]


def test_a_cursor_of_another_boot_starts_at_the_beginning(world: World):
    world.write("one")
    there = after(world)
    with contextlib.closing(world.open(Cursor(boot_id=BootId("other"), sequence=there.sequence))) as log:
        assert f"{world.head}one" in texts(drain(log))


def test_what_user_space_wrote_is_not_read_unless_asked_for(world: World):
    world.write("one")
    with contextlib.closing(world.open(accept_injected=False)) as log:
        assert texts(drain(log)) == []


def test_a_limit_ends_a_look_and_the_rest_comes_in_the_next(world: World):
    cursor = after(world)
    for number in range(10):
        world.write(str(number))
    with contextlib.closing(world.open(cursor)) as log:
        batches = drain(log, limit=4)
    assert all(batch.looked_at <= 4 for batch in batches)
    assert texts(batches) == [f"{world.head}{number}" for number in range(10)]


def test_an_overrun_while_reading_is_a_gap_with_its_number_and_reading_goes_on(world: World):
    with contextlib.closing(world.open(after(world))) as log:
        start = drain(log)[-1].cursor  # Other programs may have written since the log was opened.
        assert start is not None
        world.overrun()
        batches = drain(log)
        for _ in range(20):  # Another program's flood may take the line away before it is read.
            world.write("after")
            batches += drain(log)
            if texts(batches)[-1:] == [f"{world.head}after"]:
                break
    gaps = [entry for entry in entries(batches) if isinstance(entry, LogGap)]
    last = batches[-1].cursor
    assert last is not None
    assert gaps
    assert not any(gap.before_start for gap in gaps)
    assert sum(gap.lost for gap in gaps) + sum(batch.looked_at for batch in batches) == (
        last.sequence - start.sequence
    )
    assert texts(batches)[-1] == f"{world.head}after"


def test_what_was_overwritten_since_the_cursor_is_a_gap_before_the_start(world: World):
    cursor = after(world)
    world.overrun()
    with contextlib.closing(world.open(cursor)) as log:
        gap = entries(drain(log))[0]
    assert isinstance(gap, LogGap)
    assert gap.before_start
    assert gap.first == cursor.sequence + 1


def test_closing_twice_is_closing_once(world: World):
    log = world.open()
    log.close()
    log.close()


async def test_the_reader_brings_lines_as_they_are_written(world: World):
    seen = asyncio.Queue[str]()

    def take(batch: Batch) -> None:
        for text in texts([batch]):
            seen.put_nowait(text)

    start = after(world)
    reader = KernelLogReader(
        open_log=world.open,
        on_batch=take,
        on_sight=lambda _: None,
        clock=SystemClock(),
        cursor=start,
    )
    running = asyncio.create_task(reader.run())
    try:
        for text in ("one", "two"):
            world.write(text)
            assert await asyncio.wait_for(seen.get(), DEADLINE_S) == f"{world.head}{text}"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    # Other programs write to the same device, so the end may be further on by now.
    reached, end = reader.cursor, after(world)
    assert reached is not None
    with contextlib.closing(world.open(reached)) as log:
        assert texts(drain(log)) == []
    assert start.sequence < reached.sequence <= end.sequence
