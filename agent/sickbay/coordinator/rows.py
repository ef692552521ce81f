"""Values to rows and back. A row that cannot be read back is named, with its table and key."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import RowMapping

from sickbay.coordinator.store import (
    AttemptRecord,
    Batch,
    NodeRecord,
    RuleSetRecord,
    StoreError,
)
from sickbay.core.ids import BootId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.ledger import LedgerEntry
from sickbay.core.messages import Event
from sickbay.core.remediation import Remediation
from sickbay.host.spool_records import UnreadableRecordError, decoded, decoded_event, encoded, kind_of
from sickbay.orchestrators.records import CordonRecord

ROLLOUT, CONFIRMED = "rollout", "confirmed builtins"
"""The names in the table of what there is one of."""

Row = Mapping[str, Any]

_T = TypeVar("_T")

REWRITTEN = {
    "nodes": ("node",),
    "incidents": ("id",),
    "remediations": ("id",),
    "cordons": ("node",),
    "rule_sets": ("digest",),
    "standing": ("name",),
    "orders": ("id",),
    "approvals": ("incident",),
}
"""Tables whose rows follow their value, and by which columns; in all others a row is written once."""


def rows_of(batch: Batch) -> Sequence[tuple[str, Sequence[Row]]]:
    """(table, rows) for all that a batch adds or rewrites, empty ones left out."""
    rows = (
        ("nodes", [_node(record) for record in batch.nodes]),
        ("events", [_event(event) for event in batch.events]),
        ("incidents", [_incident(incident) for incident in batch.incidents]),
        ("remediations", [_remediation(rem) for rem in batch.remediations]),
        ("attempts", [_attempt(attempt) for attempt in batch.attempts]),
        ("ledger", [_ledger(entry) for entry in batch.ledger]),
        ("cordons", [_cordon(cordon) for cordon in batch.cordons]),
        ("rule_sets", [_rule_set(each) for each in batch.rule_sets]),
        ("standing", _standing(batch)),
        ("orders", [{"id": order.id, "body": encoded(order)} for order in batch.orders]),
        ("approvals", [{"incident": said.incident, "body": encoded(said)} for said in batch.approvals]),
    )
    return [(table, listed) for table, listed in rows if listed]


def value_of(row: RowMapping, form: type[_T], table: str) -> _T:
    """The value in a row's `body`; StoreError, naming the row, when it is not one."""
    try:
        return decoded(row["body"], form)
    except UnreadableRecordError as error:
        raise _unreadable(row, table, error) from error


def event_of(row: RowMapping) -> Event:
    """The event in a row."""
    try:
        what = decoded_event(row["kind"], row["body"])
    except UnreadableRecordError as error:
        raise _unreadable(row, "events", error) from error
    return Event(
        sequence=row["sequence"],
        id=row["id"],
        at=row["at"],
        boot_id=BootId(row["boot_id"]),
        what=what,
        node=NodeName(row["node"]),
    )


def _unreadable(row: RowMapping, table: str, error: UnreadableRecordError) -> StoreError:
    key = row.get("id") or row.get("node") or row.get("row")
    return StoreError(
        f"table {table}, row {key}: {error}. The store was damaged or written by another version; "
        "restore it from a backup, or move it away to begin with an empty one",
    )


def _node(record: NodeRecord) -> Row:
    return {"node": record.node, "boot_id": record.boot_id, "body": encoded(record)}


def _event(event: Event) -> Row:
    return {
        "node": event.node,
        "id": event.id,
        "sequence": event.sequence,
        "at": event.at,
        "boot_id": event.boot_id,
        "kind": kind_of(event.what),
        "body": encoded(event.what),
    }


def _incident(incident: Incident) -> Row:
    return {
        "id": incident.id,
        "node": incident.node,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "family": incident.family,
        "body": encoded(incident),
    }


def _remediation(rem: Remediation) -> Row:
    return {
        "id": rem.id,
        "node": rem.node,
        "step": rem.step.value,
        "active": rem.is_active,
        "opened_at": rem.opened_at,
        "body": encoded(rem),
    }


def _attempt(attempt: AttemptRecord) -> Row:
    return {"remediation": attempt.remediation, "node": attempt.node, "body": encoded(attempt)}


def _ledger(entry: LedgerEntry) -> Row:
    return {
        "at": entry.at,
        "node": entry.node,
        "incident": entry.incident,
        "who": entry.who,
        "what": entry.what,
        "body": encoded(entry),
    }


def _cordon(cordon: CordonRecord) -> Row:
    return {"node": cordon.node, "body": encoded(cordon)}


def _rule_set(record: RuleSetRecord) -> Row:
    return {"digest": record.digest, "version": record.version, "body": encoded(record)}


def _standing(batch: Batch) -> list[Row]:
    values = ((ROLLOUT, batch.rollout), (CONFIRMED, batch.confirmed))
    return [{"name": name, "body": encoded(value)} for name, value in values if value is not None]
