"""Histories out of the files in which agents and coordinators keep them."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.fakes.words import a_condition

from sickbay.coordinator.sqlite_store import open_sqlite
from sickbay.coordinator.store import Batch as StoreBatch
from sickbay.coordinator.store import LedgerEntry, NodeRecord
from sickbay.core.conditions import Condition
from sickbay.core.devices import Gpu, Inventory, Scope, Subject
from sickbay.core.history import About, Acted, Began, HistoryEntry, Looked, Told
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.messages import Event
from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.core.problems import RefusedError
from sickbay.core.signals import EventId, Signal
from sickbay.host.histories import NoHistoryError, open_history
from sickbay.host.spool_schema import open_spool
from sickbay.host.spool_store import Batch, Limits, SpoolStore
from sickbay.host.trace_files import write_trace

NODE = NodeName("gpu-1")
GPU = Subject(scope=Scope.GPU, pci="0000:1b:00", gpu_uuid="GPU-1")
INVENTORY = Inventory(
    gpus=(Gpu(uuid="GPU-1", pci="0000:1b:00", slot=0, pci_device_id="0x233010DE"),), driver_version="570.1"
)
PLATFORMS = Platforms(by_device={"2330": PlatformProfile(id="h100-sxm5")})


def xid(mono: float, sequence: int) -> Signal:
    identity = EventId(boot_id=BootId("boot-1"), source="kmsg", sequence=sequence)
    return Signal(
        kind="xid",
        subject=GPU,
        at=Instant(mono=mono, wall=1000 + mono),
        fields={"code": 79},
        identity=identity,
    )


def hot(mono: float) -> Signal:
    return Signal(
        kind="temperature", subject=GPU, at=Instant(mono=mono, wall=1000 + mono), fields={"gpu": 90}
    )


def event(sequence: int, at: float, what: Signal | Condition, *, boot: str = "boot-1") -> Event:
    return Event(sequence=sequence, id=f"e{sequence}", at=at, boot_id=BootId(boot), what=what, node=NODE)


EVENTS = (event(1, 1010, hot(10)), event(2, 1020, xid(20, 7)), event(3, 1020.5, a_condition()))


def kinds(entries: Sequence[HistoryEntry]) -> list[type]:
    return [type(entry) for entry in entries]


def spool(path: Path) -> Path:
    store = SpoolStore(open_spool(path, 1000.0).connection, NODE, Limits())
    with store.transaction():
        store.append(Batch(boot_id=BootId("boot-1"), events=EVENTS, baseline=INVENTORY))
    store.close()
    return path


def test_a_spool_gives_what_was_read_what_happened_and_what_the_rules_said(tmp_path: Path) -> None:
    history = open_history(spool(tmp_path / "spool.db"), platforms=PLATFORMS)
    began, read, happened, told = history.entries()
    assert (history.about.sparse, history.length) == (True, 3)
    assert isinstance(began, Began)
    assert began.facts.driver == "570.1"
    assert began.facts.gpus["0000:1b:00"].platform == "h100-sxm5"
    assert isinstance(read, Looked)
    assert isinstance(happened, Looked)
    assert (read.signals, happened.signals) == ((hot(10),), (xid(20, 7),))
    assert isinstance(told, Told)
    assert told.now == Instant(mono=20.5, wall=1020.5)


async def test_a_coordinators_database_gives_every_node_and_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "sickbay.db"
    store = open_sqlite(path)
    record = NodeRecord(node=NODE, boot_id=BootId("boot-1"), version="1", first_seen=0.0, baseline=INVENTORY)
    ledger = [
        LedgerEntry(at=at, who="coordinator", what=what, node=NODE, why="")
        for at, what in ((1021.0, "cordon begun"), (1022.0, "cordon done"), (1090.0, "reboot begun"))
    ]
    await store.commit(StoreBatch(nodes=(record,), events=EVENTS, ledger=tuple(ledger)))
    later = event(4, 1100, hot(5), boot="boot-2")
    await store.commit(StoreBatch(events=(later,)))
    await store.close()
    entries = list(open_history(path, platforms=PLATFORMS).entries())
    assert kinds(entries) == [Began, Looked, Looked, Told, Acted, Acted, Began, Looked]
    assert [entry.what for entry in entries if isinstance(entry, Acted)] == ["cordon", "reboot"]
    assert {entry.node for entry in entries} == {NODE}


def test_a_row_that_cannot_be_read_is_counted_and_passed_over(tmp_path: Path) -> None:
    path = spool(tmp_path / "spool.db")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE events SET body = x'7b7d' WHERE id = 'e2'")
    history = open_history(path)
    assert kinds(list(history.entries())) == [Began, Looked, Told]


def test_a_trace_is_a_history(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    entries = [Looked(node=NODE, now=Instant(mono=1.0, wall=2.0), signals=(hot(1),))]
    write_trace(path, About(source="x", interval=5.0), entries)
    history = open_history(path)
    assert (history.about.interval, list(history.entries())) == (5.0, entries)


def test_what_is_no_history_is_said(tmp_path: Path) -> None:
    missing, text, database = tmp_path / "none", tmp_path / "text", tmp_path / "other.db"
    text.write_text("hello\n")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(NoHistoryError, match="No such file"):
        open_history(missing)
    with pytest.raises(RefusedError, match="the first line of a trace"):
        open_history(text)
    with pytest.raises(NoHistoryError, match="no spool and no coordinator's database"):
        open_history(database)


def test_a_broken_line_of_a_trace_is_named_and_one_that_was_cut_short_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_trace(path, About(source="x"), [Looked(node=NODE, now=Instant(mono=1.0, wall=2.0))])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"looked":{"node":"a"')
    assert len(list(open_history(path).entries())) == 1
    path.write_bytes(whole + b'{"looks":{}}\n')
    with pytest.raises(RefusedError, match=r"a.jsonl:3:1.*one of began"):
        list(open_history(path).entries())
