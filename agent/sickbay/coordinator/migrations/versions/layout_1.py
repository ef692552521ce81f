"""The first tables: all that coordinators kept before migrations began.

Files of that time have some or all of these tables and no note of Alembic's, so each is made only where it
is not there yet.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_INDEXES = (
    ("event_identity", "events", ("node", "id"), True),
    ("event_time", "events", ("at",), False),
    ("event_node_time", "events", ("node", "at"), False),
    ("ix_incidents_node", "incidents", ("node",), False),
    ("ix_incidents_closed_at", "incidents", ("closed_at",), False),
    ("ix_remediations_active", "remediations", ("active",), False),
    ("remediation_node_time", "remediations", ("node", "opened_at"), False),
    ("ix_attempts_remediation", "attempts", ("remediation",), False),
    ("ix_ledger_node", "ledger", ("node",), False),
    ("ix_ledger_incident", "ledger", ("incident",), False),
)


def upgrade() -> None:
    """Make what is not there."""
    _make("meta", _key("key"), _text("value"))
    _make("nodes", _key("node"), _text("boot_id"), _body())
    _make(
        "events",
        *(_row(), _text("node"), _text("id"), sa.Column("sequence", _BIG, nullable=False), _number("at")),
        *(_text("boot_id"), _text("kind"), _body()),
    )
    closed: sa.Column[Any] = sa.Column("closed_at", sa.Double(), nullable=True)
    _make("incidents", _key("id"), _text("node"), _number("opened_at"), closed, _text("family"), _body())
    active: sa.Column[Any] = sa.Column("active", sa.Boolean(), nullable=False)
    _make("remediations", _key("id"), _text("node"), _text("step"), active, _number("opened_at"), _body())
    _make("attempts", _row(), _text("remediation"), _text("node"), _body())
    _make("ledger", _row(), _number("at"), _text("node"), _text("incident"), _body())
    _make("cordons", _key("node"), _body())
    _make("rule_sets", _key("digest"), sa.Column("version", sa.Integer(), nullable=False), _body())
    _make("standing", _key("name"), _body())
    _make("orders", _key("id"), _body())
    _make("approvals", _key("incident"), _body())
    for name, table, columns, unique in _INDEXES:
        op.create_index(name, table, list(columns), unique=unique, if_not_exists=True)


def _make(table: str, *columns: sa.Column[Any]) -> None:
    op.create_table(table, *columns, if_not_exists=True)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), primary_key=True)


def _row() -> sa.Column[Any]:
    return sa.Column("row", _BIG, primary_key=True, autoincrement=True)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=False)


def _body() -> sa.Column[Any]:
    return sa.Column("body", sa.LargeBinary(), nullable=False)
