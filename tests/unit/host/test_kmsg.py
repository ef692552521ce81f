"""Opening, losing and following a kernel log; reading records is the contract suite's part."""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import Cursor, Interest, KernelRecord
from sickbay.host.clock import SystemClock
from sickbay.host.kmsg import (
    STORM,
    Batch,
    Blindness,
    DeviceKernelLog,
    KernelLog,
    KernelLogReader,
    KernelLogUnavailableError,
    Reading,
    Sieve,
)
from sickbay.sim.kernel_log import SimulatedKernelLog, append

BOOT = BootId("3f1c")
READING = Reading(boot_id=BOOT, interest=Interest(starts=(b"NVRM: ",)))
NOW = Instant(mono=10.0, wall=20.0)
DEADLINE_S = 10.0


def test_a_missing_device_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(KernelLogUnavailableError) as caught:
        DeviceKernelLog(READING, clock=SystemClock(), device=tmp_path / "kmsg")
    assert caught.value.blindness is Blindness.MISSING
    assert str(tmp_path / "kmsg") in str(caught.value)


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything; for a while, be somebody who may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_device_that_may_not_be_read_is_said_to_be_denied(tmp_path: Path):
    path = tmp_path / "kmsg"
    path.touch(mode=0)
    with as_nobody(), pytest.raises(KernelLogUnavailableError) as caught:
        DeviceKernelLog(READING, clock=SystemClock(), device=path)
    assert caught.value.blindness is Blindness.DENIED


def test_a_log_that_stops_answering_is_a_read_error(tmp_path: Path):
    with pytest.raises(KernelLogUnavailableError) as caught:
        DeviceKernelLog(READING, clock=SystemClock(), device=tmp_path).read_batch(1)
    assert caught.value.blindness is Blindness.FAILED


def test_nothing_read_is_no_cursor():
    assert Sieve(READING).batch([], read_at=NOW, more=False).cursor is None


def test_the_cursor_stands_after_records_of_no_interest_too():
    batch = Sieve(READING).batch([b"6,0,1,-;usb 1-1: new device\n"], read_at=NOW, more=False)
    assert batch.entries == ()
    assert batch.cursor == Cursor(boot_id=BOOT, sequence=0)


def reader_of(
    open_log: Callable[[Cursor | None], KernelLog],
    on_batch: Callable[[Batch], None],
    sights: list[str],
) -> KernelLogReader:
    return KernelLogReader(
        open_log=open_log,
        on_batch=on_batch,
        on_sight=sights.append,
        clock=SystemClock(),
        retry_s=0.001,
    )


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not done():
            await asyncio.sleep(0.001)


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_log_that_appears_later_is_opened_then(tmp_path: Path):
    path, sights, batches = tmp_path / "kmsg", list[str](), list[Batch]()

    def open_log(cursor: Cursor | None) -> KernelLog:
        reading = Reading(boot_id=BOOT, interest=READING.interest, cursor=cursor)
        return SimulatedKernelLog(path, reading, clock=SystemClock())

    running = asyncio.create_task(reader_of(open_log, batches.append, sights).run())
    await until(lambda: bool(sights))
    append(path, "NVRM: hello", mono=1.0)
    await until(lambda: bool(batches))
    await stopped(running)
    (record,) = batches[0].entries
    assert isinstance(record, KernelRecord)
    assert record.text == "NVRM: hello"
    assert sights == [f"missing: {path}", ""]


class Breaking:
    """A log that brings one record and then breaks, and whose next opening goes on."""

    poll_interval: float = 0.001

    def __init__(self, cursor: Cursor | None) -> None:
        self._sieve = Sieve(Reading(boot_id=BOOT, interest=READING.interest, cursor=cursor))
        self._raws = [f"3,{cursor.sequence + 1 if cursor else 0},1,-;NVRM: x\n".encode()]

    def fileno(self) -> int:
        return -1

    def read_batch(self, limit: int) -> Batch:
        if not self._raws[:limit]:
            raise KernelLogUnavailableError(Blindness.FAILED, "gone")
        return self._sieve.batch([self._raws.pop()], read_at=NOW, more=False)

    def close(self) -> None:
        pass


async def test_a_log_that_breaks_is_opened_again_after_its_cursor_and_each_change_is_told_once():
    batches, sights = list[Batch](), list[str]()
    running = asyncio.create_task(reader_of(Breaking, batches.append, sights).run())
    await until(lambda: len(batches) >= 3)
    await stopped(running)
    numbers = [
        entry.sequence for batch in batches for entry in batch.entries if isinstance(entry, KernelRecord)
    ]
    assert numbers[:3] == [0, 1, 2]
    assert sights[:4] == ["", "read error: gone", "", "read error: gone"]


async def test_what_the_consumer_raises_ends_the_reader():
    def refuse(batch: Batch) -> None:
        raise ValueError(str(batch.looked_at))

    with pytest.raises(ValueError, match="1"):
        await asyncio.wait_for(reader_of(Breaking, refuse, []).run(), DEADLINE_S)


class Drowsy:
    """A log whose waking is a byte in a pipe that only a test writes; records lie ready without it."""

    poll_interval: None = None

    def __init__(self) -> None:
        self._ready, self._wake = os.pipe()
        self._sieve = Sieve(READING)
        self._number = 0
        self.raws: list[bytes] = []

    def print(self, lines: int) -> None:
        for _ in range(lines):
            self.raws.append(f"3,{self._number},{self._number},-;NVRM: line\n".encode())
            self._number += 1

    def wake(self) -> None:
        os.write(self._wake, b"!")

    def fileno(self) -> int:
        return self._ready

    def read_batch(self, limit: int) -> Batch:
        if self._is_ready():
            os.read(self._ready, 64)
        raws, self.raws = self.raws[:limit], self.raws[limit:]
        return self._sieve.batch(raws, read_at=NOW, more=bool(self.raws))

    def close(self) -> None:
        os.close(self._ready)
        os.close(self._wake)

    def _is_ready(self) -> bool:
        return bool(select.select([self._ready], [], [], 0)[0])


async def test_a_storm_is_followed_without_being_woken_and_a_later_waking_is_heard():
    log, seen = Drowsy(), list[int]()
    running = asyncio.create_task(
        reader_of(lambda _: log, lambda batch: seen.append(batch.looked_at), []).run()
    )
    await asyncio.sleep(0)
    log.print(STORM)
    log.wake()
    await until(lambda: sum(seen) == STORM)
    log.print(1)
    await until(lambda: sum(seen) == STORM + 1)
    log.print(1)
    log.wake()
    await until(lambda: sum(seen) == STORM + 2)
    await stopped(running)
