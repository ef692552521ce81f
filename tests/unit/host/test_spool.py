"""The spool on a real file: what is kept, what comes back, and what happens when the disk refuses."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sickbay.core.conditions import Condition, Severity, Status
from sickbay.core.devices import NODE, Gpu, Inventory
from sickbay.core.ids import ActionId, BootId, NodeName, RuleId
from sickbay.core.instants import Instant
from sickbay.core.messages import Event
from sickbay.core.outcomes import Outcome
from sickbay.core.signals import EventId, Signal
from sickbay.host.spool import Spool, SpoolUnavailableError
from sickbay.host.spool_schema import VERSION
from sickbay.host.spool_store import Batch, Limits, Restored, UsedGrant

BOOT = BootId("boot-a")
OTHER = BootId("boot-b")
NOW = 1_700_000_000.0


@dataclass
class Listener:
    events: list[Event] = field(default_factory=list)
    depth: int = 0
    dropped: int = 0
    troubles: list[str] = field(default_factory=list)

    def committed(self, events: Sequence[Event], *, depth: int, dropped: int) -> None:
        self.events += events
        self.depth = depth
        self.dropped += dropped

    def troubled(self, why: str) -> None:
        self.troubles.append(why)


def xid(number: int, boot: BootId = BOOT, raw: str = "NVRM: Xid") -> Event:
    identity = EventId(boot_id=boot, source="kmsg", sequence=number)
    what = Signal(
        kind="xid",
        subject=NODE,
        at=Instant(mono=1.0, wall=NOW),
        fields={"code": 79, "pid": None},
        identity=identity,
        raw=raw,
    )
    return Event(sequence=0, id=str(identity), at=NOW, boot_id=boot, what=what)


def opened(path: Path, limits: Limits | None = None) -> Spool:
    return Spool(path, node=NodeName("n1"), limits=limits or Limits(), now=NOW)


@asynccontextmanager
async def running(path: Path, limits: Limits | None = None) -> AsyncIterator[tuple[Spool, Listener]]:
    spool, listener = opened(path, limits), Listener()
    spool.start(listener)
    try:
        yield spool, listener
    finally:
        await spool.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spool.db"


async def test_an_event_comes_back_as_it_was_with_the_sequence_of_the_disk(path: Path) -> None:
    async with running(path) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=(xid(1), xid(2))), now=NOW)
        await spool.flushed()
        assert [event.what for event in listener.events] == [xid(1).what, xid(2).what]
        assert listener.events[0].sequence < listener.events[1].sequence
        assert await spool.unacknowledged(after=0, limit=10) == tuple(listener.events)
        assert listener.events[0].node == "n1"


async def test_the_same_happening_told_again_is_kept_once_and_not_told_again(path: Path) -> None:
    async with running(path) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=(xid(1),)), now=NOW)
        spool.append(Batch(boot_id=BOOT, events=(xid(1), xid(2))), now=NOW)
        await spool.flushed()
        assert [event.id for event in listener.events] == ["boot-a/kmsg/1", "boot-a/kmsg/2"]


async def test_a_storm_that_grew_takes_the_place_of_its_first_count_and_is_told_again(path: Path) -> None:
    def counted(count: int, *sources: str) -> Event:
        event = xid(1)
        assert isinstance(event.what, Signal)
        return replace(event, what=replace(event.what, count=count, sources=sources))

    async with running(path) as (spool, listener):
        for event in (counted(1, "kmsg"), counted(5000, "kmsg"), counted(1, "kmsg"), counted(5000, "nvml")):
            spool.append(Batch(boot_id=BOOT, events=(event,)), now=NOW)
            await spool.flushed()
        assert [(e.what.count, e.what.sources) for e in listener.events if isinstance(e.what, Signal)] == [
            (1, ("kmsg",)),
            (5000, ("kmsg",)),
            (5000, ("nvml",)),
        ]
        assert len(await spool.recent(since=0.0, limit=9)) == 1
        assert [e.sequence for e in listener.events] == sorted({e.sequence for e in listener.events})


async def test_a_condition_is_kept_as_a_condition(path: Path) -> None:
    condition = Condition(
        type="GpuLost",
        subject=NODE,
        status=Status.TRUE,
        severity=Severity.FATAL,
        rule=RuleId("gpu-lost"),
        reason="Xid79",
        message="gone",
        since=NOW,
        observed_at=NOW,
        boot_id=BOOT,
    )
    async with running(path) as (spool, _):
        spool.append(
            Batch(boot_id=BOOT, events=(Event(sequence=0, id="c", at=NOW, boot_id=BOOT, what=condition),)),
            now=NOW,
        )
        found = await spool.event("c")
    assert found is not None
    assert found.what == condition


async def test_what_was_acknowledged_is_not_offered_again_after_a_restart(path: Path) -> None:
    async with running(path) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=(xid(1), xid(2), xid(3))), now=NOW)
        await spool.flushed()
        spool.acknowledge(listener.events[1].sequence)
    events, depth = opened(path).backlog(10)
    assert [event.id for event in events] == ["boot-a/kmsg/3"]
    assert depth == 1


async def test_an_older_acknowledgement_does_not_take_back_a_newer_one(path: Path) -> None:
    async with running(path) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=(xid(1), xid(2))), now=NOW)
        await spool.flushed()
        spool.acknowledge(listener.events[1].sequence)
        spool.acknowledge(listener.events[0].sequence)
        assert await spool.unacknowledged(after=0, limit=10) == ()


async def test_a_sequence_is_never_used_twice_even_when_the_events_are_gone(path: Path) -> None:
    async with running(path) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=(xid(1),)), now=NOW)
        await spool.flushed()
        first = listener.events[0].sequence
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM events")
    async with running(path) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=(xid(2),)), now=NOW)
        await spool.flushed()
        assert listener.events[0].sequence > first


async def test_cursor_and_open_state_come_back_in_the_same_boot_and_not_in_another(path: Path) -> None:
    async with running(path) as (spool, _):
        spool.append(Batch(boot_id=BOOT, events=(xid(7),), cursor=7, state={"open": ["x"]}), now=NOW)
        spool.append(Batch(boot_id=BOOT, cursor=9), now=NOW)
    same = opened(path).restored(BOOT)
    assert same.cursor == 9
    assert same.state == b'{"open":["x"]}'
    assert opened(path).restored(OTHER) == Restored(earlier=b'{"open":["x"]}')


async def test_what_a_boot_had_open_goes_with_the_first_batch_of_the_next(path: Path) -> None:
    async with running(path) as (spool, _):
        spool.append(Batch(boot_id=BOOT, events=(xid(7),), cursor=7, state={"open": ["x"]}), now=NOW)
    async with running(path) as (spool, _):
        spool.append(Batch(boot_id=OTHER, state={"open": []}), now=NOW)
    assert opened(path).restored(BOOT) == Restored(earlier=b'{"open":[]}')
    events, _ = opened(path).backlog(10)
    assert [event.id for event in events] == ["boot-a/kmsg/7"]


async def test_the_healthy_inventory_survives_boots(path: Path) -> None:
    healthy = Inventory(gpus=(Gpu(uuid="GPU-1", pci="0000:1b:00", slot=0),), nvml="simulated")
    async with running(path) as (spool, _):
        spool.append(Batch(boot_id=BOOT, baseline=healthy), now=NOW)
    again = opened(path)
    again.restored(OTHER)
    assert again.baseline() == healthy


async def test_a_grant_is_used_once_and_its_outcome_is_remembered(path: Path) -> None:
    use = UsedGrant(action_id=ActionId("a1"), boot_id=BOOT, verb="reboot", began_at=NOW, outcome=None)
    async with running(path) as (spool, _):
        assert await spool.begin(use) is None
        assert await spool.begin(use) == use
        await spool.conclude(ActionId("a1"), Outcome.done("rebooting"))
    async with running(path) as (spool, _):
        found = await spool.begin(use)
        assert found is not None
        assert found.outcome == Outcome.done("rebooting")


async def test_a_full_spool_drops_the_oldest_and_counts_what_nobody_had_acknowledged(path: Path) -> None:
    limits = Limits(max_bytes=20_000)
    async with running(path, limits) as (spool, listener):
        for number in range(40):
            spool.append(Batch(boot_id=BOOT, events=(xid(number, raw="x" * 500),)), now=NOW)
            await spool.flushed()
        kept = await spool.unacknowledged(after=0, limit=100)
        assert 0 < len(kept) < 40
        assert listener.dropped == 40 - len(kept)
        assert kept[-1].id == "boot-a/kmsg/39"


async def test_dropping_what_was_acknowledged_is_not_called_a_loss(path: Path) -> None:
    async with running(path, Limits(max_bytes=20_000)) as (spool, listener):
        for number in range(40):
            spool.append(Batch(boot_id=BOOT, events=(xid(number, raw="x" * 500),)), now=NOW)
            await spool.flushed()
            spool.acknowledge(listener.events[-1].sequence)
        await spool.flushed()
        assert listener.dropped == 0


async def test_acknowledged_events_leave_with_age_and_others_stay(path: Path) -> None:
    async with running(path, Limits(max_age=60.0)) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=(xid(1), xid(2))), now=NOW)
        await spool.flushed()
        spool.acknowledge(listener.events[0].sequence)
        spool.append(Batch(boot_id=BOOT), now=NOW + 7200.0)
        await spool.flushed()
        assert [event.id for event in await spool.recent(since=0.0, limit=9)] == ["boot-a/kmsg/2"]


async def test_a_file_that_is_no_database_is_moved_aside_and_said(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is not a database, but it is long enough to be taken for one" * 40)
    async with running(path) as (spool, listener):
        assert "moved to" in spool.trouble
        spool.append(Batch(boot_id=BOOT, events=(xid(1),)), now=NOW)
        await spool.flushed()
        assert len(listener.events) == 1
    assert len(list(path.parent.glob("spool.db.unreadable-*"))) == 1


async def test_a_spool_of_a_newer_version_is_moved_aside_and_not_guessed_at(path: Path) -> None:
    async with running(path):
        pass
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    assert f"layout {VERSION + 1}, expected {VERSION}" in opened(path).trouble


async def test_a_new_spool_does_not_hand_out_the_sequences_of_the_lost_one(path: Path) -> None:
    async with running(path) as (spool, listener):
        spool.append(Batch(boot_id=BOOT, events=tuple(xid(n) for n in range(50))), now=NOW)
        await spool.flushed()
        last = listener.events[-1].sequence
    path.unlink()
    later = Spool(path, node=NodeName("n1"), limits=Limits(), now=NOW + 5)
    fresh = Listener()
    later.start(fresh)
    later.append(Batch(boot_id=BOOT, events=(xid(99),)), now=NOW + 5)
    await later.flushed()
    await later.close()
    assert fresh.events[0].sequence > last


async def test_a_place_that_cannot_be_written_leaves_a_spool_in_memory_and_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where a directory should be")
    async with running(blocked / "spool.db") as (spool, listener):
        assert "do not survive a restart" in spool.trouble
        spool.append(Batch(boot_id=BOOT, events=(xid(1),)), now=NOW)
        await spool.flushed()
        assert len(listener.events) == 1


async def test_a_disk_that_refuses_is_said_and_what_waited_is_written_once_it_takes_writes_again(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sickbay.host.spool._RETRY_INTERVAL", 0.02)
    async with running(path) as (spool, listener):
        await spool.flushed()
        # A reader's lock held by another program is the one refusal that a test can give and take back.
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        spool.append(Batch(boot_id=BOOT, events=(xid(1),), cursor=1), now=NOW)
        await until(lambda: bool(listener.troubles))
        assert "cannot be written" in listener.troubles[0]
        with pytest.raises(SpoolUnavailableError):
            await spool.begin(
                UsedGrant(action_id=ActionId("a"), boot_id=BOOT, verb="reboot", began_at=NOW, outcome=None),
            )
        spool.append(Batch(boot_id=BOOT, events=(xid(2),), cursor=2), now=NOW)
        other.execute("ROLLBACK")
        await until(lambda: len(listener.events) == 2)
        assert listener.troubles[-1] == ""
    assert opened(path).restored(BOOT).cursor == 2


async def test_an_event_that_cannot_be_decoded_does_not_hide_the_others(path: Path) -> None:
    async with running(path) as (spool, _):
        spool.append(Batch(boot_id=BOOT, events=(xid(1), xid(2))), now=NOW)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE events SET body = ? WHERE id = 'boot-a/kmsg/1'", (b'{"kind": 5}',))
    events, _ = opened(path).backlog(10)
    assert [event.id for event in events] == ["boot-a/kmsg/2"]
