"""What the spool does with its file, synchronously; `sickbay.host.spool` gives it a thread and deadlines.

Everything inside one `transaction` reaches the disk together or not at all: the cursor can therefore never
be ahead of the events that it covers, nor behind them.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sickbay.core.conditions import Condition
from sickbay.core.devices import Inventory
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import Event
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.signals import Signal
from sickbay.host.spool_records import (
    READING,
    UnreadableRecordError,
    decoded,
    decoded_event,
    encoded,
    kind_of,
)

_ROW_OVERHEAD = 200
"""Bytes that a row takes beside its body: its id, its keys and its share of two indices."""

_AGE_CHECK_INTERVAL = 3600.0
"""Seconds between two looks for events that are too old: each look reads the whole table."""

_COLUMNS = "sequence, id, at, boot_id, kind, body"
_Row = tuple[int, str, float, str, str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept: bytes of events altogether, and seconds that an acknowledged one stays readable."""

    max_bytes: int = 64 * 1024 * 1024
    max_age: float = 30 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be kept together. None leaves what is there; `state` is encoded as JSON."""

    boot_id: BootId
    events: tuple[Event, ...] = ()
    cursor: int | None = None
    state: object | None = None
    baseline: Inventory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What one boot left behind. States are JSON as they were given, None when there is none.

    `earlier` is the state of the boot before, until this boot has kept anything of its own.
    """

    cursor: int | None = None
    state: bytes | None = None
    earlier: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedGrant:
    """An action that was begun. `outcome` None: begun, and its end was never heard of."""

    action_id: ActionId
    boot_id: BootId
    verb: str
    began_at: float
    outcome: Outcome | None


class SpoolStore:
    """The spool's tables. Errors of the disk leave as sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection, node: NodeName, limits: Limits) -> None:
        self._db = connection
        self._node = node
        self._limits = limits
        self.unreadable = 0
        self._bytes = self._measured()
        self._trimmed_at = 0.0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and on the disk when it ends."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors (a full disk among them), and says so.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._bytes = self._measured()
            raise

    def close(self) -> None:
        """Give the file back; the write-ahead log is folded in."""
        self._db.close()

    def append(self, batch: Batch) -> tuple[Event, ...]:
        """Keep a batch; the events that say something new, with their sequences.

        An id that is known says something new only when it counts more, names another source or knows more
        than before: it then takes the place of what was known, under a new sequence, to be told again.
        """
        kept = tuple(kept for event in batch.events if (kept := self._insert(event)) is not None)
        self._enter(batch.boot_id)
        if batch.cursor is not None:
            self._db.execute("UPDATE boots SET cursor=? WHERE boot_id=?", (batch.cursor, batch.boot_id))
        if batch.state is not None:
            state = encoded(batch.state)
            self._db.execute("UPDATE boots SET state=? WHERE boot_id=?", (state, batch.boot_id))
        if batch.baseline is not None:
            self._db.execute("INSERT OR REPLACE INTO baseline VALUES (0, ?)", (encoded(batch.baseline),))
        return kept

    def _enter(self, boot_id: BootId) -> None:
        """With the first batch of a boot, what other boots had open is over; their events stay."""
        if self._db.execute("INSERT OR IGNORE INTO boots (boot_id) VALUES (?)", (boot_id,)).rowcount:
            self._db.execute("DELETE FROM boots WHERE boot_id <> ?", (boot_id,))

    def _insert(self, event: Event) -> Event | None:
        known = self._db.execute(f"SELECT {_COLUMNS} FROM events WHERE id = ?", (event.id,)).fetchone()  # noqa: S608 - constant
        if known is not None and not self._displace(known, event):
            return None
        body = encoded(event.what)
        done = self._db.execute(
            "INSERT INTO events (id, at, boot_id, kind, body) VALUES (?, ?, ?, ?, ?)",
            (event.id, event.at, event.boot_id, kind_of(event.what), body),
        )
        self._bytes += len(body) + _ROW_OVERHEAD
        return replace(event, sequence=int(done.lastrowid or 0), node=self._node)

    def _displace(self, known: _Row, event: Event) -> bool:
        """Make room for an event that says more than the row of its id; False where it does not."""
        before = self._event(known)
        if before is not None and not _says_more(event.what, before.what):
            return False
        self._db.execute("DELETE FROM events WHERE sequence = ?", (known[0],))
        self._bytes -= len(known[5]) + _ROW_OVERHEAD
        return True

    def trim(self, now: float) -> int:
        """Drop what the limits do not allow, oldest first; how many of those nobody had acknowledged."""
        acknowledged = self.acknowledged()
        if now - self._trimmed_at >= _AGE_CHECK_INTERVAL:
            self._trimmed_at = now
            self._drop_aged(now, acknowledged)
        if self._bytes <= self._limits.max_bytes:
            return 0
        return self._drop_down_to(self._limits.max_bytes * 9 // 10, acknowledged)

    def _drop_aged(self, now: float, acknowledged: int) -> None:
        oldest = now - self._limits.max_age
        self._db.execute("DELETE FROM events WHERE sequence <= ? AND at < ?", (acknowledged, oldest))
        # A grant lives for minutes; a record that is this old can no longer be asked for.
        self._db.execute("DELETE FROM actions WHERE began_at < ?", (oldest,))
        self._bytes = self._measured()

    def _measured(self) -> int:
        size, rows = self._db.execute(
            "SELECT coalesce(sum(length(body)), 0), count(*) FROM events"
        ).fetchone()
        return int(size) + int(rows) * _ROW_OVERHEAD

    def _drop_down_to(self, target: int, acknowledged: int) -> int:
        last, excess = 0, self._bytes - target
        for sequence, size in self._db.execute("SELECT sequence, length(body) FROM events ORDER BY sequence"):
            last, excess = sequence, excess - size - _ROW_OVERHEAD
            if excess <= 0:
                break
        lost = self._db.execute(
            "SELECT count(*) FROM events WHERE sequence > ? AND sequence <= ?",
            (acknowledged, last),
        ).fetchone()[0]
        self._db.execute("DELETE FROM events WHERE sequence <= ?", (last,))
        self._bytes = target + excess
        return int(lost)

    def acknowledge(self, sequence: int) -> None:
        """All events up to `sequence` are safe elsewhere. An older acknowledgement changes nothing."""
        self._db.execute(
            "UPDATE marks SET value = max(value, ?) WHERE name = 'acknowledged'",
            (sequence,),
        )

    def acknowledged(self) -> int:
        """The highest sequence that was acknowledged."""
        return int(
            self._db.execute("SELECT value FROM marks WHERE name = 'acknowledged'").fetchone()[0],
        )

    def unacknowledged(self, *, after: int, limit: int) -> tuple[Event, ...]:
        """The oldest `limit` events past `after` that nobody acknowledged."""
        return self._events(
            f"SELECT {_COLUMNS} FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",  # noqa: S608 - constant
            (max(after, self.acknowledged()), limit),
        )

    def depth(self) -> int:
        """How many events wait for an acknowledgement."""
        count = "SELECT count(*) FROM events WHERE sequence > ?"
        return int(self._db.execute(count, (self.acknowledged(),)).fetchone()[0])

    def recent(self, *, since: float, limit: int) -> tuple[Event, ...]:
        """The latest `limit` happenings at or after `since` (Unix seconds), oldest first; no readings."""
        latest = self._events(
            f"SELECT {_COLUMNS} FROM events WHERE at >= ? AND kind <> ? ORDER BY sequence DESC LIMIT ?",  # noqa: S608 - constant
            (since, READING, limit),
        )
        return latest[::-1]

    def event(self, ident: str) -> Event | None:
        """The event of that id or sequence, or None."""
        query = f"SELECT {_COLUMNS} FROM events WHERE id = ? OR sequence = ?"  # noqa: S608 - constant
        found = self._events(query, (ident, int(ident) if ident.isdecimal() else -1))
        return found[0] if found else None

    def _events(self, query: str, values: Sequence[object]) -> tuple[Event, ...]:
        rows = self._db.execute(query, values).fetchall()
        return tuple(event for row in rows if (event := self._event(row)) is not None)

    def _event(self, row: _Row) -> Event | None:
        sequence, ident, at, boot_id, kind, body = row
        try:
            what = decoded_event(kind, body)
        except UnreadableRecordError:
            self.unreadable += 1
            return None
        return Event(sequence=sequence, id=ident, at=at, boot_id=BootId(boot_id), what=what, node=self._node)

    def restored(self, boot_id: BootId) -> Restored:
        """What this boot left behind when the agent last ran in it, or else the boot before."""
        row = self._db.execute("SELECT cursor, state FROM boots WHERE boot_id = ?", (boot_id,)).fetchone()
        if row is not None:
            return Restored(cursor=row[0], state=row[1])
        earlier = self._db.execute("SELECT state FROM boots").fetchone()
        return Restored(earlier=earlier[0] if earlier else None)

    def baseline(self) -> Inventory | None:
        """What the node held when it was last seen healthy."""
        row = self._db.execute("SELECT body FROM baseline").fetchone()
        try:
            return decoded(row[0], Inventory) if row else None
        except UnreadableRecordError:
            self.unreadable += 1
            return None

    def begin(self, action: UsedGrant) -> UsedGrant | None:
        """Use a grant: None when that is now recorded, or the earlier use that stands in the way."""
        done = self._db.execute(
            "INSERT OR IGNORE INTO actions (action_id, boot_id, verb, began_at) VALUES (?, ?, ?, ?)",
            (action.action_id, action.boot_id, action.verb, action.began_at),
        )
        return None if done.rowcount else self.used(action.action_id)

    def conclude(self, action_id: ActionId, outcome: Outcome) -> None:
        """Record what came of an action that was begun."""
        self._db.execute(
            "UPDATE actions SET verdict = ?, detail = ? WHERE action_id = ?",
            (outcome.verdict.value, outcome.detail, action_id),
        )

    def used(self, action_id: ActionId) -> UsedGrant | None:
        """The record of an action, or None when it was never begun."""
        row = self._db.execute(
            "SELECT boot_id, verb, began_at, verdict, detail FROM actions WHERE action_id = ?",
            (action_id,),
        ).fetchone()
        if row is None:
            return None
        boot_id, verb, began_at, verdict, detail = row
        outcome = Outcome(verdict=Verdict(verdict), detail=detail) if verdict else None
        return UsedGrant(
            action_id=action_id,
            boot_id=BootId(boot_id),
            verb=verb,
            began_at=began_at,
            outcome=outcome,
        )


def _says_more(now: Signal | Condition, before: Signal | Condition) -> bool:
    """Whether a repeated happening adds to what is known: a line read again after a restart does not."""
    if not isinstance(now, Signal) or not isinstance(before, Signal):
        return False
    return now.count > before.count or (
        now.count == before.count
        and (not set(now.sources) <= set(before.sources) or _knows_more(now, before))
    )


def _knows_more(now: Signal, before: Signal) -> bool:
    """Whether a field that was unknown is known: a later line of the same report has said it."""
    return any(value is not None and before.fields.get(name) is None for name, value in now.fields.items())
