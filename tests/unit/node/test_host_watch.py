"""The host's monitors side by side: one that hangs, fails or is refused costs no other anything."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.node_parts import Parts
from tests.support.waiting import until

from sickbay.core.devices import Gpu, Inventory, Scope, Subject
from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.core.signals import Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.host_table import HOST_MONITORS, HostMonitor, each_time
from sickbay.node.host_watch import HostWatch

SETTINGS = HostSettings(jitter=0.0)


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    made.start()
    yield made
    await made.spool.close()


@dataclass
class Level:
    """A monitor that says a number of a mount point, and counts its readings."""

    value: object = 0.5
    reads: int = 0
    known: list[HostKnown] = field(default_factory=list)

    def read(self, _root: HostRoot) -> object:
        self.reads += 1
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def judge(self, reading: object, _before: object, known: HostKnown) -> tuple[Signal, ...]:
        self.known.append(known)
        if reading is None:
            return ()
        subject = Subject(scope=Scope.NODE, name="filesystem:/")
        fields: dict[str, Any] = {"mounted": True, "free": reading}
        return (Signal(kind="filesystem", subject=subject, at=known.now, fields=fields),)

    def monitor(self, **changes: Any) -> HostMonitor[Any]:  # noqa: ANN401 - any field of a monitor
        return HostMonitor(
            every=changes.pop("every", 10.0), reader=each_time(self.read), judge=self.judge, **changes
        )


def watch(parts: Parts, **monitors: HostMonitor[Any]) -> HostWatch:
    return HostWatch(
        clock=parts.clock,
        judge=parts.judge,
        root=HostRoot.under(parts.folder),
        settings=SETTINGS,
        monitors=monitors,
    )


@asynccontextmanager
async def running(watching: HostWatch) -> AsyncIterator[None]:
    task = asyncio.ensure_future(watching.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def sight(parts: Parts, name: str) -> tuple[bool, str] | None:
    monitor = parts.status.monitors.get(name)
    return None if monitor is None else (monitor.healthy, monitor.detail)


async def test_a_reading_becomes_what_the_host_shows(parts: Parts) -> None:
    await watch(parts, level=Level().monitor()).look_once()
    (reading,) = parts.status.readings.values()
    assert reading.fields == {"mounted": True, "free": 0.5}
    assert sight(parts, "level") == (True, "")


async def test_a_monitor_that_is_refused_is_blind_and_says_why_until_it_sees_again(parts: Parts) -> None:
    level = Level(PermissionError(13, "Permission denied"))
    watching = watch(parts, level=level.monitor())
    await watching.look_once()
    assert sight(parts, "level") == (False, "[Errno 13] Permission denied")
    assert [condition.type for condition in parts.status.conditions] == ["MonitorDegraded"]
    level.value = 0.5
    parts.clock.advance(10.0)
    await watching.look_once()
    assert sight(parts, "level") == (True, "")
    assert parts.status.conditions == ()


async def test_blindness_is_told_once_a_change(parts: Parts) -> None:
    level = Level(OSError("gone"))
    watching = watch(parts, level=level.monitor())
    await watching.look_once()
    told = parts.shown
    await watching.look_once()
    assert parts.shown == told


@pytest.mark.parametrize("where", ["reader", "judge", "carry"])
async def test_a_defect_in_one_monitor_costs_the_others_nothing(parts: Parts, where: str) -> None:
    def broken(*_: object) -> Any:  # noqa: ANN401 - it never returns
        raise ZeroDivisionError("division by zero")

    changes: dict[str, Any] = {where: each_time(broken) if where == "reader" else broken}
    whole: dict[str, Any] = {"every": 10.0, "reader": each_time(Level().read), "judge": Level().judge}
    await watch(parts, bad=HostMonitor(**{**whole, **changes}), good=Level().monitor()).look_once()
    blind = sight(parts, "bad")
    assert blind is not None
    assert blind == (False, "a defect in the monitor itself: ZeroDivisionError: division by zero")
    assert sight(parts, "good") == (True, "")


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Path]:
    """A file on which a reader hangs for as long as nobody writes: as a dead file system does."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    yield path
    with suppress(OSError):  # Nobody waits any more.
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))


async def test_a_reading_that_hangs_delays_nobody_is_not_started_again_and_is_taken_up_when_it_returns(
    parts: Parts, fifo: Path
) -> None:
    hangs = Level()
    stuck = HostMonitor(
        every=10.0,
        reader=each_time(lambda root: fifo.read_text() and hangs.read(root)),
        judge=hangs.judge,
        deadline=0.05,
    )
    fine = Level()
    threads = threading.active_count()
    async with running(watch(parts, stuck=stuck, fine=fine.monitor())):
        await until(lambda: sight(parts, "stuck") is not None)
        assert sight(parts, "stuck") == (False, "its reading did not come back within 0.05 s")
        for looks in range(1, 6):
            await until(lambda looks=looks: fine.reads >= looks)  # type: ignore[misc]
            parts.clock.advance(10.0)
        await until(lambda: fine.reads >= 6)
        assert threading.active_count() <= threads + 2
        assert sight(parts, "fine") == (True, "")
        with fifo.open("w") as server:  # The first reading returns, and the next one has a file to read.
            fifo.unlink()
            fifo.write_text("well")
            server.write("late")
        await until(lambda: _looked_again(parts) == (True, ""))
    assert hangs.reads >= 2


def _looked_again(parts: Parts) -> tuple[bool, str] | None:
    parts.clock.advance(10.0)
    return sight(parts, "stuck")


async def test_monitors_are_looked_at_each_at_its_own_interval(parts: Parts) -> None:
    often, seldom = Level(), Level()
    async with running(watch(parts, often=often.monitor(every=1.0), seldom=seldom.monitor(every=5.0))):
        await until(lambda: often.reads == 1 and seldom.reads == 1)
        for looks in range(2, 6):
            await until(lambda: parts.clock.next_wake is not None)
            parts.clock.advance(1.0)
            await until(lambda looks=looks: often.reads == looks)  # type: ignore[misc]
    assert (often.reads, seldom.reads) == (5, 1)


async def test_a_host_without_such_parts_is_looked_at_seldom(parts: Parts) -> None:
    nothing = Level(None)
    async with running(watch(parts, nothing=nothing.monitor(every=1.0, at_rest=60.0))):
        await until(lambda: nothing.reads == 1 and parts.clock.next_wake is not None)
        assert parts.clock.next_wake == pytest.approx(60.0)


async def test_the_same_reading_is_told_again_only_when_that_is_due(parts: Parts) -> None:
    level = Level()
    watching = watch(parts, level=level.monitor(retell=5.0))
    await watching.look_once()
    first = parts.status.readings["filesystem", "node/filesystem:/"].at
    parts.clock.advance(1.0)
    await watching.look_once()
    assert parts.status.readings["filesystem", "node/filesystem:/"].at == first
    level.value = 0.4
    await watching.look_once()
    assert parts.status.readings["filesystem", "node/filesystem:/"].fields["free"] == 0.4
    parts.clock.advance(5.0)
    await watching.look_once()
    assert parts.status.readings["filesystem", "node/filesystem:/"].at == parts.clock.now()


async def test_parts_that_are_gone_leave_no_readings_behind(parts: Parts) -> None:
    level = Level()
    watching = watch(parts, level=level.monitor())
    await watching.look_once()
    assert parts.status.readings
    level.value = OSError("not now")
    await watching.look_once()
    assert parts.status.readings
    level.value = None
    await watching.look_once()
    assert parts.status.readings == {}


async def test_a_monitor_knows_the_platform_and_the_parts_that_have_a_condition(parts: Parts) -> None:
    level = Level(OSError("gone"))
    parts.status.inventory = Inventory(gpus=(Gpu(uuid="GPU-0", pci="", slot=0, pci_device_id="0x233010DE"),))
    profile = PlatformProfile(ports=8)
    parts.judge.platforms = Platforms(by_device={"2330": profile})
    watching = watch(parts, level=level.monitor())
    await watching.look_once()
    level.value = 0.5
    await watching.look_once()
    (known,) = level.known
    assert known.profile == profile
    assert {subject.name for subject in known.concerned} == {"level"}


async def test_without_a_host_nothing_is_looked_at(parts: Parts) -> None:
    level = Level()
    nowhere = HostWatch(
        clock=parts.clock,
        judge=parts.judge,
        root=None,
        settings=SETTINGS,
        monitors={"level": level.monitor()},
    )
    await nowhere.look_once()
    assert level.reads == 0


async def test_every_monitor_of_the_table_can_look_at_this_machine(parts: Parts) -> None:
    here = HostWatch(clock=parts.clock, judge=parts.judge, root=HostRoot(), settings=SETTINGS)
    await here.look_once()
    assert HOST_MONITORS.keys() <= parts.status.monitors.keys()
    defects = [m for m in parts.status.monitors.values() if "defect" in m.detail]
    assert defects == []
