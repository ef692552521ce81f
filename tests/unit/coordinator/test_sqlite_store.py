"""What is SQLite's own: the file, what may be wrong with it, and what survives."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.words import an_incident

from sickbay.coordinator.sqlite_store import open_sqlite
from sickbay.coordinator.store import Batch, StoreError
from sickbay.core.ids import IncidentId
from sickbay.core.incidents import Incident


async def test_the_file_is_in_wal_mode_and_synchronous_on_every_commit(tmp_path: Path):
    store = open_sqlite(tmp_path / "s.db")
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    await store.close()


def test_a_file_that_is_no_database_is_refused_with_its_name_and_what_helps(tmp_path: Path):
    path = tmp_path / "s.db"
    path.write_bytes(b"not a database, not at all " * 100)
    with pytest.raises(StoreError, match=r"s\.db: file is not a database.*restore it from a backup"):
        open_sqlite(path)


async def test_a_damaged_database_is_refused(tmp_path: Path):
    path = tmp_path / "s.db"
    store = open_sqlite(path)
    await store.commit(Batch(incidents=tuple(an_incident() for _ in range(50))))
    await store.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * len(content[8192:-4096])
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"s\.db"):
        open_sqlite(path)


async def test_a_newer_schema_is_refused_by_its_number(tmp_path: Path):
    path = tmp_path / "s.db"
    await open_sqlite(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreError, match="written with schema 99, and this coordinator knows 3"):
        open_sqlite(path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(StoreError, match=r"nowhere/s\.db: unable to open"):
        open_sqlite(tmp_path / "nowhere" / "s.db")


async def test_a_row_that_cannot_be_read_is_named_by_table_and_key(tmp_path: Path):
    path = tmp_path / "s.db"
    store = open_sqlite(path)
    await store.commit(Batch(incidents=(an_incident(),)))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE incidents SET body = '{\"id\": 7}'")
    connection.close()
    with pytest.raises(StoreError, match="table incidents, row inc-0123456789ab: not a Incident"):
        await store.load()
    await store.close()


async def test_a_disk_that_is_full_is_an_error_of_the_commit_and_the_store_goes_on_after_it(tmp_path: Path):
    store = open_sqlite(tmp_path / "s.db")
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    many = Batch(ledger=(), incidents=tuple(_numbered(n) for n in range(500)))
    with pytest.raises(StoreError, match=r"could not be written.*full"):
        await store.commit(many)
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    await store.commit(many)
    assert len((await store.load()).incidents) == 500
    await store.close()


def _numbered(number: int) -> Incident:
    return replace(an_incident(), id=IncidentId(f"inc-{number}"))
