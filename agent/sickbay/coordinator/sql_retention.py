"""What is forgotten of the history, so that no table grows for ever; what is open is never forgotten.

Each call takes the oldest few thousand of each kind, so that the writer waits for no longer than that takes.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, delete, exists, func, or_, select

from sickbay.coordinator.rows import value_of
from sickbay.coordinator.sql_statements import Insert, active_remediations, open_incidents
from sickbay.coordinator.store import Retention
from sickbay.coordinator.tables import ATTEMPTS, EVENTS, INCIDENTS, LEDGER, META, REMEDIATIONS
from sickbay.core.incidents import Incident
from sickbay.core.remediation import Remediation

AT_ONCE = 5_000
"""Rows of a table forgotten in one transaction, or looked at for it."""

PRUNED_TO = "ledger pruned to"
"""The key in `meta` of the row up to which the ledger's trigger lets lines go."""

_BEFORE = 3_600.0
"""Seconds before an incident was opened from which the events of its node are its evidence."""


def prune(connection: Connection, retention: Retention, now: float, insert: Insert) -> int:
    """Forget the oldest of everything beyond what is kept; returns how many rows went."""
    return (
        _events(connection, retention, now)
        + _incidents(connection, retention, now)
        + _remediations(connection, retention, now)
        + _ledger(connection, retention, now, insert)
    )


def _events(connection: Connection, retention: Retention, now: float) -> int:
    is_evidence = exists().where(
        INCIDENTS.c.closed_at.is_(None),
        INCIDENTS.c.node == EVENTS.c.node,
        INCIDENTS.c.opened_at - _BEFORE <= EVENTS.c.at,
    )
    old = and_(EVENTS.c.at < now - retention.event_age, ~is_evidence)
    beyond = or_(old, EVENTS.c.row <= _last_to_go(EVENTS, retention.max_events))
    oldest = select(EVENTS.c.row).where(beyond).order_by(EVENTS.c.row).limit(AT_ONCE)
    return connection.execute(delete(EVENTS).where(EVENTS.c.row.in_(oldest))).rowcount


def _incidents(connection: Connection, retention: Retention, now: float) -> int:
    closed = INCIDENTS.c.closed_at.is_not(None)
    count = connection.execute(select(func.count()).select_from(INCIDENTS).where(closed)).scalar_one()
    surplus = min(max(count - retention.max_incidents, 0), AT_ONCE)
    oldest = select(INCIDENTS.c.id).where(closed).order_by(INCIDENTS.c.closed_at, INCIDENTS.c.id)
    old = oldest.where(INCIDENTS.c.closed_at < now - retention.incident_age).limit(AT_ONCE)
    going = {*_ids(connection, old), *_ids(connection, oldest.limit(surplus))}
    if not going:
        return 0
    return _forget(connection, INCIDENTS, going - _at_work(connection))


def _remediations(connection: Connection, retention: Retention, now: float) -> int:
    """Ended ones with their journal, but of each node the latest: that one may say why it is quarantined."""
    later = REMEDIATIONS.alias()
    is_followed = exists().where(
        later.c.node == REMEDIATIONS.c.node, later.c.opened_at > REMEDIATIONS.c.opened_at
    )
    ended = select(REMEDIATIONS.c.id).where(~REMEDIATIONS.c.active, is_followed)
    ended = ended.order_by(REMEDIATIONS.c.opened_at, REMEDIATIONS.c.id)
    count = connection.execute(select(func.count()).select_from(REMEDIATIONS)).scalar_one()
    surplus = min(max(count - retention.max_incidents, 0), AT_ONCE)
    old = ended.where(REMEDIATIONS.c.opened_at < now - retention.incident_age).limit(AT_ONCE)
    going = {*_ids(connection, old), *_ids(connection, ended.limit(surplus))}
    if not going:
        return 0
    going -= _spoken_of(connection)
    if going:
        connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.remediation.in_(going)))
    return _forget(connection, REMEDIATIONS, going)


def _ledger(connection: Connection, retention: Retention, now: float, insert: Insert) -> int:
    """The last line always stays, so that no row is ever numbered twice."""
    still_open = select(INCIDENTS.c.id).where(INCIDENTS.c.closed_at.is_(None))
    beyond = or_(
        LEDGER.c.at < now - retention.ledger_age,
        LEDGER.c.row <= _last_to_go(LEDGER, retention.max_ledger),
    )
    last = select(func.max(LEDGER.c.row)).scalar_subquery()
    oldest = select(LEDGER.c.row).where(beyond, LEDGER.c.row < last, LEDGER.c.incident.not_in(still_open))
    going = [row for (row,) in connection.execute(oldest.order_by(LEDGER.c.row).limit(AT_ONCE))]
    if not going:
        return 0
    _let_go(connection, going[-1], insert)
    gone = connection.execute(delete(LEDGER).where(LEDGER.c.row.in_(going))).rowcount
    _let_go(connection, 0, insert)
    return gone


def _let_go(connection: Connection, row: int, insert: Insert) -> None:
    """Tell the trigger up to which row lines may go, inside this transaction; 0 for none."""
    kept = insert(META).values(key=PRUNED_TO, value=str(row))
    connection.execute(kept.on_conflict_do_update(index_elements=["key"], set_={"value": str(row)}))


def _last_to_go(table: Table, most: int) -> Any:  # noqa: ANN401 - SQLAlchemy's own type of a subquery
    """The newest row that `most` newer ones push out; nothing where there are not as many."""
    return select(table.c.row).order_by(table.c.row.desc()).offset(most).limit(1).scalar_subquery()


def _ids(connection: Connection, wanted: Select[Any]) -> list[str]:
    return list(connection.execute(wanted).scalars())


def _at_work(connection: Connection) -> set[str]:
    """Incidents that an active remediation is there for."""
    rows = connection.execute(active_remediations()).mappings()
    return {ident for row in rows for ident in value_of(row, Remediation, "remediations").incidents}


def _spoken_of(connection: Connection) -> set[str]:
    """Remediations that an open incident names."""
    rows = connection.execute(open_incidents()).mappings()
    named = (value_of(row, Incident, "incidents").remediation for row in rows)
    return {ident for ident in named if ident is not None}


def _forget(connection: Connection, table: Table, going: Collection[str]) -> int:
    if not going:
        return 0
    return connection.execute(delete(table).where(table.c.id.in_(going))).rowcount
