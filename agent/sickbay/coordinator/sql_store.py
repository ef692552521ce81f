"""A store over SQL: what SQLite and PostgreSQL have in common, which is all but how they are opened.

One thread writes. Readers have connections of their own and run off the loop.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Engine, RowMapping, Select, select
from sqlalchemy.exc import SQLAlchemyError

from sickbay.coordinator import sql_statements as sql
from sickbay.coordinator.rows import CONFIRMED, ROLLOUT, event_of, value_of
from sickbay.coordinator.sql_retention import prune
from sickbay.coordinator.sql_writer import GroupWriter, Guard
from sickbay.coordinator.store import (
    AttemptRecord,
    Batch,
    ConfirmedBuiltins,
    NodeRecord,
    Retention,
    RuleSetRecord,
    Snapshot,
    StoreError,
)
from sickbay.coordinator.tables import APPROVALS, CORDONS, NODES, ORDERS, RULE_SETS
from sickbay.core.approvals import Approval
from sickbay.core.ids import NodeName, RemediationId
from sickbay.core.incidents import Incident
from sickbay.core.ledger import LedgerEntry, LedgerLine, LedgerQuery
from sickbay.core.messages import Event
from sickbay.core.orders import Order
from sickbay.core.remediation import Remediation
from sickbay.core.rollout import Rollout
from sickbay.orchestrators.records import CordonRecord
from sickbay.rpc.ports import EventQuery

_T = TypeVar("_T")

TROUBLE = (SQLAlchemyError, sqlite3.Error)
"""What a database raises; SQLite's own while a connection is prepared."""


class SqlStore:
    """A `Store` over an engine whose tables are there. Those who open one check that first."""

    def __init__(self, engine: Engine, insert: sql.Insert, guard: Guard) -> None:
        """`insert` is the dialect's own."""
        self._engine = engine
        self._insert = insert
        self._guard = guard
        self._writer = GroupWriter(
            engine, lambda connection, batch: sql.apply(connection, batch, insert), guard
        )

    async def commit(self, batch: Batch) -> None:
        """Keep all of it, in one transaction, in the order of the calls."""
        if not batch.is_empty:
            await self._writer.commit(batch)

    async def load(self) -> Snapshot:
        """All that is needed to go on after a restart."""
        return await off_the_loop(self._load)

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

        return await off_the_loop(look)

    async def incidents_by_prefix(self, prefix: str, limit: int) -> Sequence[Incident]:
        """Those whose id begins with `prefix`."""
        return await off_the_loop(lambda: self._values(sql.incidents_by_prefix(prefix, limit), Incident))

    async def remediation(self, ident: RemediationId) -> Remediation | None:
        """One remediation, active or ended."""
        found = await off_the_loop(lambda: self._values(sql.remediation(ident), Remediation))
        return found[0] if found else None

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """The latest that match, oldest first."""
        rows = await off_the_loop(lambda: self._rows(sql.events(query)))
        return tuple(event_of(row) for row in reversed(rows))

    async def attempts(self, ident: RemediationId) -> Sequence[AttemptRecord]:
        """The journal of one remediation, oldest first."""
        return await off_the_loop(lambda: self._values(sql.attempts(ident), AttemptRecord))

    async def ledger(self, query: LedgerQuery) -> Sequence[LedgerLine]:
        """The lines that match, oldest first."""
        rows = await off_the_loop(lambda: self._rows(sql.ledger(query)))
        found = [LedgerLine(row=row["row"], entry=value_of(row, LedgerEntry, "ledger")) for row in rows]
        return tuple(sorted(found, key=lambda line: line.row))

    async def remediations(self, *, node: NodeName, limit: int) -> Sequence[Remediation]:
        """Those of a node, the latest first."""
        return await off_the_loop(lambda: self._values(sql.remediations(node=node, limit=limit), Remediation))

    async def prune(self, retention: Retention, now: float) -> int:
        """Forget what is beyond what is kept; returns how many rows."""

        def forget() -> int:
            with self._engine.begin() as connection:
                self._guard(connection)
                return prune(connection, retention, now, self._insert)

        return await off_the_loop(forget)

    async def size(self) -> int:
        """Bytes that the database takes."""

        def measure() -> int:
            with self._engine.connect() as connection:
                return sql.size(connection)

        return await off_the_loop(measure)

    async def next_term(self) -> int:
        """One more than the last, kept before it is returned."""

        def advance() -> int:
            with self._engine.begin() as connection:
                return sql.next_term(connection, self._insert)

        return await off_the_loop(advance)

    async def close(self) -> None:
        """Write what waits and let go of the database."""
        await asyncio.to_thread(self._writer.close)
        self._engine.dispose()

    def _rows(self, statement: Select[Any]) -> Sequence[RowMapping]:
        with self._engine.connect() as connection:
            return connection.execute(statement).mappings().all()

    def _values(self, statement: Select[Any], form: type[_T]) -> tuple[_T, ...]:
        table = statement.get_final_froms()[0].description
        return tuple(value_of(row, form, table) for row in self._rows(statement))


async def off_the_loop(work: Callable[[], _T]) -> _T:
    """What `work` returns, from a thread; StoreError for the database's trouble."""
    try:
        return await asyncio.to_thread(work)
    except TROUBLE as error:
        raise StoreError(f"the store could not be read: {getattr(error, 'orig', None) or error}") from error
