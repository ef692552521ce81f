"""The store on SQLite: one file beside the coordinator, enough for one coordinator and a whole fleet.

WAL lets readers read while the writer writes; synchronous=FULL means that what was committed survives the
loss of power. Readers have connections of their own and run off the loop.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, RowMapping, Select, create_engine, event, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

from sickbay.coordinator import sql_statements as sql
from sickbay.coordinator.rows import CONFIRMED, ROLLOUT, event_of, value_of
from sickbay.coordinator.sql_writer import GroupWriter
from sickbay.coordinator.store import (
    AttemptRecord,
    Batch,
    ConfirmedBuiltins,
    LedgerEntry,
    NodeRecord,
    Retention,
    RuleSetRecord,
    Snapshot,
    StoreError,
)
from sickbay.coordinator.tables import (
    APPROVALS,
    CORDONS,
    META,
    METADATA,
    NODES,
    ORDERS,
    RULE_SETS,
    SCHEMA_VERSION,
)
from sickbay.core.approvals import Approval
from sickbay.core.ids import IncidentId, NodeName, RemediationId
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.orders import Order
from sickbay.core.remediation import Remediation
from sickbay.core.rollout import Rollout
from sickbay.orchestrators.records import CordonRecord
from sickbay.rpc.ports import EventQuery

_T = TypeVar("_T")

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
)

_TROUBLE = (SQLAlchemyError, sqlite3.Error)


class SqliteStore:
    """A `Store` in one file. Only one coordinator may have it open: `sickbay.host.state_lock`."""

    def __init__(self, engine: Engine) -> None:
        """Use `open_sqlite`, which checks what the file holds first."""
        self._engine = engine
        self._writer = GroupWriter(
            engine, lambda connection, batch: sql.apply(connection, batch, sqlite.insert)
        )

    async def commit(self, batch: Batch) -> None:
        """Keep all of it, in one transaction, in the order of the calls."""
        if not batch.is_empty:
            await self._writer.commit(batch)

    async def load(self) -> Snapshot:
        """All that is needed to go on after a restart."""
        return await _off_the_loop(self._load)

    def _load(self) -> Snapshot:
        remediations = {
            rem.id: rem
            for statement in (sql.latest_remediations(), sql.active_remediations())
            for rem in self._values(statement, Remediation)
        }
        return Snapshot(
            nodes=self._values(select(NODES), NodeRecord),
            incidents=(
                *self._values(sql.open_incidents(), Incident),
                *self._values(sql.recently_closed(), Incident),
            ),
            remediations=tuple(remediations.values()),
            cordons=self._values(select(CORDONS), CordonRecord),
            orders=self._values(select(ORDERS), Order),
            approvals=self._values(select(APPROVALS), Approval),
            rule_sets=self._values(select(RULE_SETS), RuleSetRecord),
            rollout=next(iter(self._values(sql.standing(ROLLOUT), Rollout)), Rollout()),
            confirmed=next(iter(self._values(sql.standing(CONFIRMED), ConfirmedBuiltins)), None),
        )

    async def incidents(self, *, node: NodeName, include_closed: bool, limit: int) -> Sequence[Incident]:
        """Open first, newest first; then the most recently closed."""

        def look() -> Sequence[Incident]:
            found = self._values(sql.incidents(node=node, closed=False, limit=limit), Incident)
            if not include_closed or len(found) >= limit:
                return found
            closed = sql.incidents(node=node, closed=True, limit=limit - len(found))
            return (*found, *self._values(closed, Incident))

        return await _off_the_loop(look)

    async def incidents_by_prefix(self, prefix: str, limit: int) -> Sequence[Incident]:
        """Those whose id begins with `prefix`."""
        return await _off_the_loop(lambda: self._values(sql.incidents_by_prefix(prefix, limit), Incident))

    async def remediation(self, ident: RemediationId) -> Remediation | None:
        """One remediation, active or ended."""
        found = await _off_the_loop(lambda: self._values(sql.remediation(ident), Remediation))
        return found[0] if found else None

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """The latest that match, oldest first."""
        rows = await _off_the_loop(lambda: self._rows(sql.events(query)))
        return tuple(event_of(row) for row in reversed(rows))

    async def attempts(self, ident: RemediationId) -> Sequence[AttemptRecord]:
        """The journal of one remediation, oldest first."""
        return await _off_the_loop(lambda: self._values(sql.attempts(ident), AttemptRecord))

    async def ledger(self, *, node: NodeName, incident: IncidentId, limit: int) -> Sequence[LedgerEntry]:
        """The latest entries, oldest first."""
        wanted = sql.ledger(node=node, incident=incident, limit=limit)
        found = await _off_the_loop(lambda: self._values(wanted, LedgerEntry))
        return found[::-1]

    async def prune(self, retention: Retention, now: float) -> int:
        """Forget events beyond what is kept; returns how many."""

        def forget() -> int:
            with self._engine.begin() as connection:
                return sql.prune(connection, retention, now)

        return await _off_the_loop(forget)

    async def next_term(self) -> int:
        """One more than the last, kept before it is returned."""

        def advance() -> int:
            with self._engine.begin() as connection:
                return sql.next_term(connection, sqlite.insert)

        return await _off_the_loop(advance)

    async def close(self) -> None:
        """Write what waits and let go of the file."""
        await asyncio.to_thread(self._writer.close)
        self._engine.dispose()

    def _rows(self, statement: Select[Any]) -> Sequence[RowMapping]:
        with self._engine.connect() as connection:
            return connection.execute(statement).mappings().all()

    def _values(self, statement: Select[Any], form: type[_T]) -> tuple[_T, ...]:
        table = statement.get_final_froms()[0].description
        return tuple(value_of(row, form, table) for row in self._rows(statement))


def open_sqlite(path: Path) -> SqliteStore:
    """The store in the file at `path`, which is made if it is not there.

    Raises:
        StoreError: when the file cannot be opened, is damaged, is no database, or is of a newer Sickbay.
    """
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _prepare)
    try:
        _check(engine, path)
    except _TROUBLE as error:
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
        METADATA.create_all(connection)
        found = connection.execute(select(META.c.value).where(META.c.key == "schema")).scalar_one_or_none()
        if found is None:
            connection.execute(insert(META), [{"key": "schema", "value": str(SCHEMA_VERSION)}])
        elif found != str(SCHEMA_VERSION):
            raise StoreError(
                f"{path}: written with schema {found}, and this coordinator knows {SCHEMA_VERSION}; "
                "start the newer version that wrote it, or give another state_dir",
            )


def _refusal(path: Path, why: object) -> str:
    said = getattr(why, "orig", None) or why
    return (
        f"{path}: {said}. If the file is damaged, restore it from a backup or move it away; "
        "a coordinator with an empty store learns the nodes anew and continues nothing that was under way"
    )


async def _off_the_loop(work: Callable[[], _T]) -> _T:
    try:
        return await asyncio.to_thread(work)
    except _TROUBLE as error:
        raise StoreError(f"the store could not be read: {getattr(error, 'orig', None) or error}") from error
