"""The store on SQLite: one file beside the coordinator, enough for one coordinator and a whole fleet.

WAL lets readers read while the writer writes; synchronous=FULL means that what was committed survives the
loss of power. Readers have connections of their own and run off the loop.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.dialects import sqlite

from sickbay.coordinator.layout import upgrade
from sickbay.coordinator.sql_store import TROUBLE, SqlStore
from sickbay.coordinator.store import StoreError

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
)


class SqliteStore(SqlStore):
    """A `Store` in one file. Only one coordinator may have it open: `sickbay.host.state_lock`."""

    def __init__(self, engine: Engine) -> None:
        """Use `open_sqlite`, which checks what the file holds first."""
        super().__init__(engine, sqlite.insert, _unguarded)


def open_sqlite(path: Path) -> SqliteStore:
    """The store in the file at `path`, which is made if it is not there, and brought to today's layout.

    Raises:
        StoreError: when the file cannot be opened, is damaged, is no database, or is of a newer Sickbay.
    """
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _prepare)
    try:
        _check(engine, path)
        _upgrade(path)
    except TROUBLE as error:
        raise StoreError(_refusal(path, error)) from error
    return SqliteStore(engine)


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _check(engine: Engine, path: Path) -> None:
    with engine.begin() as connection:
        verdict = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
        if verdict != "ok":
            raise StoreError(_refusal(path, verdict))


def _upgrade(path: Path) -> None:
    """In one transaction, which Python's driver would otherwise end before each CREATE TABLE."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "connect", _by_hand)
    event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        upgrade(connection, str(path))


def _by_hand(connection: sqlite3.Connection, record: object) -> None:
    _prepare(connection, record)
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _unguarded(_connection: Connection) -> None:
    """The lock on the file is the guard."""


def _refusal(path: Path, why: object) -> str:
    said = getattr(why, "orig", None) or why
    return (
        f"{path}: {said}. If the file is damaged, restore it from a backup or move it away; "
        "a coordinator with an empty store learns the nodes anew and continues nothing that was under way"
    )
