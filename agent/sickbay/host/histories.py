"""Histories from where they are kept: a trace file, an agent's spool, a coordinator's database. Only read.

Spool and database hold what happened, what the rules said, and the readings that were worth keeping: a sparse
history. Their files may be in use; they are opened for reading alone.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from sickbay.core.devices import Inventory
from sickbay.core.facts import Facts, facts_of
from sickbay.core.history import About, Acted, Began, HistoryEntry, Looked, Told
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.platforms import NO_PLATFORMS, Platforms
from sickbay.core.signals import Signal
from sickbay.host.spool_records import CONDITION, UnreadableRecordError, decoded, decoded_event
from sickbay.host.trace_files import Trace

_SQLITE = b"SQLite format 3\0"


class NoHistoryError(Exception):
    """A file that holds no history that we know; says why, and what would be one."""


class History(Protocol):
    """A history that can be read once; `length` is how many entries it has, None where that is not known."""

    about: About
    length: int | None

    def entries(self) -> Iterator[HistoryEntry]:
        """The entries, in the order in which they happened on each node."""
        ...


def open_history(path: Path, *, platforms: Platforms = NO_PLATFORMS) -> History:
    """The history in a file; `platforms` say which platform a node's GPUs are.

    Raises:
        NoHistoryError, RefusedError: when there is none in it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
    except OSError as error:
        raise NoHistoryError(f"{path}: {error.strerror}") from error
    return DatabaseHistory(path, platforms) if head == _SQLITE else TraceHistory(path)


class TraceHistory:
    """A trace file."""

    def __init__(self, path: Path) -> None:
        self._trace = Trace(path)
        self.about = self._trace.about
        self.length: int | None = None

    def entries(self) -> Iterator[HistoryEntry]:
        """See `History`."""
        return iter(self._trace)


@dataclass(slots=True)
class _Node:
    """How far the reading of one node has come; `offset` is the wall clock less this boot's other clock."""

    boot: BootId | None = None
    offset: float = 0.0
    facts: Facts = field(default_factory=Facts)


class DatabaseHistory:
    """The events of an agent's spool or of a coordinator's database; both keep them in one form."""

    def __init__(self, path: Path, platforms: Platforms) -> None:
        self._path = path
        self._platforms = platforms
        self._nodes: dict[NodeName, _Node] = {}
        self.unreadable = 0
        try:
            with closing(self._connected()) as database:
                tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
                self._of_fleet = "ledger" in tables
                (count,) = database.execute("SELECT count(*) FROM events").fetchone()
                self.length: int | None = int(count)
                self._learn(database)
        except sqlite3.Error as error:
            raise NoHistoryError(f"{path}: no spool and no coordinator's database ({error})") from error
        self.about = About(source=path.name, sparse=True)

    def entries(self) -> Iterator[HistoryEntry]:
        """See `History`. A row that another version wrote and we cannot read is counted, and passed over."""
        with closing(self._connected()) as database:
            actions = self._actions(database) if self._of_fleet else iter(())
            pending = next(actions, None)
            for row in database.execute(self._query()):
                while pending is not None and pending.now.wall <= row[2]:
                    yield pending
                    pending = next(actions, None)
                yield from self._entries_of(row)
            if pending is not None:
                yield pending
            yield from actions

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)

    def _query(self) -> str:
        if self._of_fleet:
            return "SELECT node, boot_id, at, kind, body FROM events ORDER BY row"
        return "SELECT '', boot_id, at, kind, body FROM events ORDER BY sequence"

    def _entries_of(self, row: tuple[str, str, float, str, bytes]) -> Iterator[HistoryEntry]:
        name, boot, at, kind, body = NodeName(row[0] or "this node"), BootId(row[1]), *row[2:]
        try:
            what = decoded_event(kind, bytes(body))
        except UnreadableRecordError:
            self.unreadable += 1
            return
        node = self._nodes.setdefault(name, _Node())
        if isinstance(what, Signal):
            node.offset = what.at.wall - what.at.mono
        now = Instant(mono=at - node.offset, wall=at)
        if node.boot != boot:
            node.boot = boot
            yield Began(node=name, now=now, boot_id=boot, facts=node.facts)
        if isinstance(what, Signal):
            yield Looked(node=name, now=what.at, signals=(what,))
        elif kind == CONDITION:
            yield Told(node=name, now=now, condition=what)

    def _learn(self, database: sqlite3.Connection) -> None:
        """What rules choose nodes by, from the inventory that each had when it was well."""
        if self._of_fleet:
            rows = database.execute("SELECT node, body FROM nodes").fetchall()
            found = {NodeName(name): _baseline(bytes(body)) for name, body in rows}
        else:
            row = database.execute("SELECT body FROM baseline").fetchone()
            found = {NodeName("this node"): _inventory(bytes(row[0])) if row else None}
        for name, inventory in found.items():
            facts = facts_of(inventory or Inventory(), node=name, pool="", platforms=self._platforms)
            self._nodes[name] = _Node(facts=facts)

    def _actions(self, database: sqlite3.Connection) -> Iterator[Acted]:
        """What was begun, from the coordinator's ledger."""
        for (body,) in database.execute("SELECT body FROM ledger ORDER BY row"):
            line = _LEDGER.decode(bytes(body))
            what, _, begun = line.what.partition(" ")
            if begun == "begun":
                now = Instant(mono=0.0, wall=line.at)
                yield Acted(node=NodeName(line.node), now=now, what=what, who=line.who, why=line.why)


class _LedgerLine(msgspec.Struct):
    """What we need of a line of the ledger."""

    at: float
    who: str
    what: str
    node: str
    why: str = ""


_LEDGER = msgspec.json.Decoder(_LedgerLine)


def _inventory(body: bytes) -> Inventory | None:
    try:
        return decoded(body, Inventory)
    except UnreadableRecordError:
        return None


def _baseline(body: bytes) -> Inventory | None:
    record: Mapping[str, object] = msgspec.json.decode(body)
    try:
        return msgspec.convert(record.get("baseline"), Inventory)
    except msgspec.ValidationError:
        return None
