"""The spool's file: its tables, how it is opened, and what becomes of one that cannot be read.

A damaged file is never repaired in place and never deleted: it is moved aside whole, with its reason in the
message, and a new one begins. Only the history that nobody had acknowledged is lost then, and the node's
present state is read anew from the host itself.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

VERSION = 2
"""`PRAGMA user_version` of this layout; a file of a newer version is moved aside, not guessed at."""

_TABLES = """
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused, also after rows are dropped
  id       TEXT NOT NULL UNIQUE,               -- the same for the same happening, however often it is read
  at       REAL NOT NULL,                      -- Unix seconds
  boot_id  TEXT NOT NULL,
  kind     TEXT NOT NULL CHECK (kind IN ('signal', 'reading', 'condition')),
  body     BLOB NOT NULL                       -- JSON of the signal or condition
) STRICT;
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE boots (
  boot_id TEXT PRIMARY KEY,
  cursor  INTEGER,                             -- the last kernel record whose events are in `events`
  state   BLOB                                 -- JSON of what the rules have open
) STRICT;
CREATE TABLE baseline (slot INTEGER PRIMARY KEY CHECK (slot = 0), body BLOB NOT NULL) STRICT;
CREATE TABLE actions (
  action_id TEXT PRIMARY KEY,                  -- a grant is used at most once
  boot_id   TEXT NOT NULL,
  verb      TEXT NOT NULL,
  began_at  REAL NOT NULL,
  verdict   TEXT,                              -- NULL from before the effect until its outcome is known
  detail    TEXT NOT NULL DEFAULT ''
) STRICT;
"""

_SEQUENCES_PER_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Opened:
    """A usable connection, and what had to be done to get it; `trouble` is empty when all is well."""

    connection: sqlite3.Connection
    trouble: str = ""


def open_spool(path: Path, now: float) -> Opened:
    """A connection to the spool at `path`, made if it is not there. `now` in Unix seconds.

    A file that is not a sound spool is moved aside. Where not even a new one can be made, the spool lives in
    memory until the agent ends, and `trouble` says so: the agent detects and reports all the same.
    """
    try:
        return Opened(_sound(path, now))
    except sqlite3.OperationalError as error:
        return _in_memory(path, now, error)
    except (sqlite3.DatabaseError, _UnknownLayoutError) as error:
        return _anew(path, now, error)


def _anew(path: Path, now: float, why: Exception) -> Opened:
    aside = path.with_name(f"{path.name}.unreadable-{int(now)}")
    try:
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        connection = _sound(path, now)
    except (OSError, sqlite3.Error) as error:
        return _in_memory(path, now, error)
    lost = f"the spool {path} could not be read ({why}); it was moved to {aside} and a new one begun"
    return Opened(connection, f"{lost}: events that were not yet acknowledged stay in the old file")


def _in_memory(path: Path, now: float, why: Exception) -> Opened:
    connection = _connect(":memory:")
    _lay_out(connection, now)
    told = f"the spool {path} cannot be used ({why}): events and open conditions do not survive a restart"
    return Opened(connection, told)


def _sound(path: Path, now: float) -> sqlite3.Connection:
    """A connection to a spool of this version.

    Raises:
        sqlite3.OperationalError: the file cannot be opened or made (place, permission, disk).
        sqlite3.DatabaseError: the file is not a database, or damaged.
        _UnknownLayoutError: it is a database of another version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise sqlite3.OperationalError(str(error)) from error
    connection = _connect(str(path))
    try:
        _check(connection, now)
    except (OSError, sqlite3.Error, _UnknownLayoutError):
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, now: float) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        _lay_out(connection, now)
        return
    if version == 1:
        _add_readings(connection)
        version = VERSION
    if version != VERSION:
        raise _UnknownLayoutError(f"it has layout {version}, expected {VERSION}")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(str(found))


def _connect(name: str) -> sqlite3.Connection:
    # One thread uses it at a time: the opener before the writer thread starts, and then that thread alone.
    connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=1.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -256")
        connection.execute("PRAGMA journal_size_limit = 1048576")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _lay_out(connection: sqlite3.Connection, now: float) -> None:
    # A spool that replaces a lost one must not hand out the lost one's sequences again, because the
    # coordinator takes a sequence that it acknowledged for an event that it has.
    first = int(now) * _SEQUENCES_PER_SECOND
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (first,))
    connection.execute("INSERT INTO marks VALUES ('acknowledged', ?)", (first,))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _add_readings(connection: sqlite3.Connection) -> None:
    """From layout 1, whose events were signals and conditions alone. All rows and sequences stay."""
    events = next(each for each in _TABLES.split(";\n") if "CREATE TABLE events" in each)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ALTER TABLE events RENAME TO events_1")
    connection.execute(events)
    connection.execute("INSERT INTO events SELECT sequence, id, at, boot_id, kind, body FROM events_1")
    connection.execute(
        "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'events_1') "
        "WHERE name = 'events'"
    )
    connection.execute("DROP TABLE events_1")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


class _UnknownLayoutError(Exception):
    """A spool, but not of a layout that this version reads."""
