"""The tables, for every database alike: columns for what is asked for, and the value as JSON beside them.

The JSON is written from and read into the types of `sickbay.core`, so a field that is added there needs no
new column as long as it has a default.
"""

from sqlalchemy import Boolean, Column, Double, Index, Integer, LargeBinary, MetaData, String, Table

SCHEMA_VERSION = 1
"""Rises with every change that an older coordinator could not live with."""

METADATA = MetaData()

META = Table(
    "meta",
    METADATA,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

NODES = Table(
    "nodes",
    METADATA,
    Column("node", String, primary_key=True),
    Column("boot_id", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("row", Integer, primary_key=True, autoincrement=True),
    Column("node", String, nullable=False),
    Column("id", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("event_identity", "node", "id", unique=True),
    Index("event_time", "at"),
    Index("event_node_time", "node", "at"),
)

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", String, primary_key=True),
    Column("node", String, nullable=False, index=True),
    Column("opened_at", Double, nullable=False),
    Column("closed_at", Double, nullable=True, index=True),
    Column("family", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

REMEDIATIONS = Table(
    "remediations",
    METADATA,
    Column("id", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("step", String, nullable=False),
    Column("active", Boolean, nullable=False, index=True),
    Column("opened_at", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("remediation_node_time", "node", "opened_at"),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("row", Integer, primary_key=True, autoincrement=True),
    Column("remediation", String, nullable=False, index=True),
    Column("node", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

LEDGER = Table(
    "ledger",
    METADATA,
    Column("row", Integer, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("node", String, nullable=False, index=True),
    Column("incident", String, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

APPROVALS = Table(
    "approvals",
    METADATA,
    Column("incident", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

CORDONS = Table(
    "cordons",
    METADATA,
    Column("node", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

RULE_SETS = Table(
    "rule_sets",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

STANDING = Table(
    "standing",
    METADATA,
    Column("name", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""What there is one of in a cluster: how the roll-out of rules stands, which built-in rules are confirmed."""
