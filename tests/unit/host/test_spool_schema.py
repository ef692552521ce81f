"""The spool's layouts, older ones too."""

import sqlite3
from pathlib import Path

from tests.fakes.words import a_condition, a_signal, an_event

from sickbay.core.ids import BootId, NodeName
from sickbay.host.spool_schema import VERSION, open_spool
from sickbay.host.spool_store import Batch, Limits, SpoolStore

LAYOUT_1 = """
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id       TEXT NOT NULL UNIQUE,
  at       REAL NOT NULL,
  boot_id  TEXT NOT NULL,
  kind     TEXT NOT NULL CHECK (kind IN ('signal', 'condition')),
  body     BLOB NOT NULL
) STRICT;
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE boots (boot_id TEXT PRIMARY KEY, cursor INTEGER, state BLOB) STRICT;
CREATE TABLE baseline (slot INTEGER PRIMARY KEY CHECK (slot = 0), body BLOB NOT NULL) STRICT;
CREATE TABLE actions (
  action_id TEXT PRIMARY KEY,
  boot_id   TEXT NOT NULL,
  verb      TEXT NOT NULL,
  began_at  REAL NOT NULL,
  verdict   TEXT,
  detail    TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO sqlite_sequence VALUES ('events', 500);
INSERT INTO marks VALUES ('acknowledged', 500);
PRAGMA user_version = 1;
"""


def appended(path: Path, *events: object) -> tuple[int, ...]:
    opened = open_spool(path, 1000.0)
    assert opened.trouble == ""
    store = SpoolStore(opened.connection, NodeName("n1"), Limits())
    with store.transaction():
        kept = store.append(Batch(boot_id=BootId("boot-1"), events=events))  # type: ignore[arg-type]
    store.close()
    return tuple(event.sequence for event in kept)


def test_a_spool_of_the_layout_before_readings_keeps_its_events_and_its_sequences(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with sqlite3.connect(path) as database:
        database.executescript(LAYOUT_1)
        database.execute(
            "INSERT INTO events (id, at, boot_id, kind, body) VALUES ('a', 1, 'b', 'signal', x'7b7d')"
        )
    assert appended(path, an_event(1, a_signal()), an_event(2, a_condition())) == (502, 503)
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT sequence, id FROM events ORDER BY sequence").fetchall() == [
            (501, "a"),
            (502, "event-1"),
            (503, "event-2"),
        ]
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert (
            "reading" in database.execute("SELECT sql FROM sqlite_master WHERE name = 'events'").fetchone()[0]
        )


def test_opening_it_twice_changes_it_once(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    first = appended(path, an_event(1, a_signal()))
    assert appended(path, an_event(2, a_condition())) == (first[0] + 1,)
