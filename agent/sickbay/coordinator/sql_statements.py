"""What is asked of the tables, in the words that SQLite and PostgreSQL share."""

from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, select, text

from sickbay.coordinator.rows import REWRITTEN, rows_of
from sickbay.coordinator.store import Batch
from sickbay.coordinator.tables import (
    APPROVALS,
    ATTEMPTS,
    CORDONS,
    EVENTS,
    INCIDENTS,
    LEDGER,
    META,
    METADATA,
    NODES,
    ORDERS,
    REMEDIATIONS,
    RULE_SETS,
    STANDING,
)
from sickbay.core.ids import NodeName
from sickbay.core.ledger import LedgerQuery
from sickbay.host.spool_records import READING
from sickbay.rpc.ports import EventQuery

RECENTLY_CLOSED = 5_000
"""Closed incidents that a coordinator begins with: enough to know again a cause that is told twice."""


OPERATOR = "operator "
"""How `who` of the ledger begins where it was a person by our commands."""


class Insert(Protocol):
    """`sqlalchemy.dialects.{sqlite,postgresql}.insert`: they have `on_conflict_…` in common."""

    def __call__(self, table: Table) -> Any:  # noqa: ANN401 - two unrelated classes of the same shape
        """An insert into `table`."""
        ...


def apply(connection: Connection, batch: Batch, insert: Insert) -> None:
    """Write one batch inside the connection's transaction."""
    for name, rows in rows_of(batch):
        connection.execute(_written(METADATA.tables[name], insert), list(rows))
    if batch.forgotten_sets:
        connection.execute(delete(RULE_SETS).where(RULE_SETS.c.digest.in_(batch.forgotten_sets)))
    if batch.forgotten_orders:
        connection.execute(delete(ORDERS).where(ORDERS.c.id.in_(batch.forgotten_orders)))
    if batch.forgotten_approvals:
        connection.execute(delete(APPROVALS).where(APPROVALS.c.incident.in_(batch.forgotten_approvals)))
    if batch.uncordoned:
        connection.execute(delete(CORDONS).where(CORDONS.c.node.in_(batch.uncordoned)))
    if batch.forgotten_nodes:
        for table in (ATTEMPTS, REMEDIATIONS, INCIDENTS, NODES):
            connection.execute(delete(table).where(table.c.node.in_(batch.forgotten_nodes)))


def _written(table: Table, insert: Insert) -> Any:  # noqa: ANN401 - as Insert
    statement = insert(table)
    key = REWRITTEN.get(table.name)
    if key is None:
        return statement.on_conflict_do_nothing()
    changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)


def open_incidents() -> Select[Any]:
    """All that have not ended."""
    return select(INCIDENTS).where(INCIDENTS.c.closed_at.is_(None))


def recently_closed(limit: int = RECENTLY_CLOSED) -> Select[Any]:
    """The latest that have ended, latest first."""
    closed = select(INCIDENTS).where(INCIDENTS.c.closed_at.is_not(None))
    return closed.order_by(INCIDENTS.c.closed_at.desc()).limit(limit)


def incidents(*, node: NodeName, closed: bool, limit: int) -> Select[Any]:
    """Open or closed ones, the latest first."""
    when = INCIDENTS.c.closed_at if closed else INCIDENTS.c.opened_at
    kept = INCIDENTS.c.closed_at.is_not(None) if closed else INCIDENTS.c.closed_at.is_(None)
    found = select(INCIDENTS).where(kept).order_by(when.desc(), INCIDENTS.c.id).limit(limit)
    return found.where(INCIDENTS.c.node == node) if node else found


def incidents_by_prefix(prefix: str, limit: int) -> Select[Any]:
    """Those whose id begins with `prefix`, taken literally."""
    found = select(INCIDENTS).where(INCIDENTS.c.id.startswith(prefix, autoescape=True))
    return found.order_by(INCIDENTS.c.id).limit(limit)


def active_remediations() -> Select[Any]:
    """All that have a way to go."""
    return select(REMEDIATIONS).where(REMEDIATIONS.c.active)


def remediation(ident: str) -> Select[Any]:
    """One, by its id."""
    return select(REMEDIATIONS).where(REMEDIATIONS.c.id == ident)


def latest_remediations() -> Select[Any]:
    """The latest of every node."""
    latest = (
        select(REMEDIATIONS.c.node, func.max(REMEDIATIONS.c.opened_at).label("opened_at"))
        .group_by(REMEDIATIONS.c.node)
        .subquery()
    )
    same = (REMEDIATIONS.c.node == latest.c.node) & (REMEDIATIONS.c.opened_at == latest.c.opened_at)
    return select(REMEDIATIONS).join(latest, same)


def events(query: EventQuery) -> Select[Any]:
    """The latest happenings that match, latest first; no readings."""
    found = select(EVENTS).where((EVENTS.c.at >= query.since) & (EVENTS.c.kind != READING))
    if query.node:
        found = found.where(EVENTS.c.node == query.node)
    return found.order_by(EVENTS.c.at.desc(), EVENTS.c.row.desc()).limit(query.limit)


def attempts(remediation: str) -> Select[Any]:
    """The journal of one remediation, oldest first."""
    return select(ATTEMPTS).where(ATTEMPTS.c.remediation == remediation).order_by(ATTEMPTS.c.row)


def ledger(query: LedgerQuery) -> Select[Any]:
    """The lines that match: where the query goes on after a row the next ones first, else the latest."""
    found = select(LEDGER).where(*_wanted(query)).limit(query.limit)
    if query.after is not None:
        return found.where(LEDGER.c.row > query.after).order_by(LEDGER.c.row)
    if query.before:
        found = found.where(LEDGER.c.row < query.before)
    return found.order_by(LEDGER.c.row.desc())


def _wanted(query: LedgerQuery) -> list[ColumnElement[bool]]:
    column = LEDGER.c
    wanted = [
        (query.node, column.node == query.node),
        (query.incident, column.incident == query.incident),
        (query.who, column.who.in_((query.who, f"{OPERATOR}{query.who}"))),
        (query.what, column.what.startswith(query.what, autoescape=True)),
        (query.since, column.at >= query.since),
        (query.until, column.at < query.until),
    ]
    return [condition for asked, condition in wanted if asked]


def remediations(*, node: NodeName, limit: int) -> Select[Any]:
    """Those of a node, the latest first."""
    found = select(REMEDIATIONS).where(REMEDIATIONS.c.node == node)
    return found.order_by(REMEDIATIONS.c.opened_at.desc(), REMEDIATIONS.c.id).limit(limit)


def standing(name: str) -> Select[Any]:
    """One of the things that there is one of."""
    return select(STANDING).where(STANDING.c.name == name)


def next_term(connection: Connection, insert: Insert) -> int:
    """Count the term up inside the connection's transaction; returns the new one."""
    last = connection.execute(select(META.c.value).where(META.c.key == "term")).scalar_one_or_none()
    term = int(last or 0) + 1
    kept = insert(META).values(key="term", value=str(term))
    connection.execute(kept.on_conflict_do_update(index_elements=["key"], set_={"value": str(term)}))
    return term


def size(connection: Connection) -> int:
    """Bytes. On SQLite without the pages that are free; on PostgreSQL with indexes, and with what is dead."""
    if connection.dialect.name == "sqlite":
        used = "SELECT (c.page_count - f.freelist_count) * s.page_size FROM pragma_page_count c, "
        asked = text(f"{used}pragma_freelist_count f, pragma_page_size s")
    else:
        asked = text("SELECT pg_database_size(current_database())")
    return int(connection.execute(asked).scalar_one())
