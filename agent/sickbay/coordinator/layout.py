"""Brings the tables to the layout that this version knows, once, whoever else starts at the same moment."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text

from sickbay.coordinator.store import StoreError
from sickbay.coordinator.tables import META

_LOG = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).parent / "migrations"

_FIRST = "1"
"""The layout of databases that Alembic has never seen: they name it in `meta`."""

_LOCK = 0x5349434B
"""PostgreSQL's advisory lock under which tables change; any number that nobody else uses."""


def known() -> str:
    """The layout that this version writes."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is at least one migration"  # noqa: S101 - the package would be broken
    return head


def upgrade(connection: Connection, where: str) -> None:
    """Make or change the tables, inside the connection's transaction: all of it happens, or nothing.

    `where` names the database in messages.

    Raises:
        StoreError: when a newer Sickbay has written it.
        SQLAlchemyError: when the database refuses.
    """
    _lock(connection)
    found = _found(connection)
    if found == known():
        return
    if found is not None and int(found) > int(known()):
        raise StoreError(
            f"{where}: written with schema {found}, and this coordinator knows {known()}; "
            "start the newer version that wrote it, or give another database",
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if found is not None:
        _LOG.info("%s: the schema was %s and is %s now", where, found, known())


def _lock(connection: Connection) -> None:
    """Wait for whoever else is changing the tables. On SQLite the transaction itself is that lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _found(connection: Connection) -> str | None:
    """The layout that is there; None for an empty database."""
    noted = MigrationContext.configure(connection).get_current_revision()
    if not inspect(connection).has_table(META.name):
        return noted
    told = connection.execute(select(META.c.value).where(META.c.key == "schema")).scalar_one_or_none()
    return max((each for each in (noted, told) if each is not None), key=int, default=_FIRST)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
