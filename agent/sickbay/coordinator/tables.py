"""The tables, for every database alike: columns for what is asked for, and the value as JSON beside them.

The JSON is written from and read into the types of `sickbay.core`, so a field that is added there needs no
new column as long as it has a default. A table, column or index that is added here needs a migration in
`sickbay.coordinator.migrations`; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()

_BIG = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both: SQLite's INTEGER has them, and counts rows by itself under no other name."""

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
    Column("row", _BIG, primary_key=True, autoincrement=True),
    Column("node", String, nullable=False),
    Column("id", String, nullable=False),
    Column("sequence", _BIG, nullable=False),
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
    Column("row", _BIG, primary_key=True, autoincrement=True),
    Column("remediation", String, nullable=False, index=True),
    Column("node", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

LEDGER = Table(
    "ledger",
    METADATA,
    Column("row", _BIG, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False, index=True),
    Column("node", String, nullable=False, index=True),
    Column("incident", String, nullable=False, index=True),
    Column("who", String, nullable=False, server_default=""),
    Column("what", String, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
)
"""Only added to: triggers refuse to change a line, and to remove one that retention has not given up."""

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

LEADERSHIP = Table(
    "leadership",
    METADATA,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("address", String, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("expires_at", Double, nullable=False),
)
"""Who leads, where there are standbys; `expires_at` is in Unix seconds by the database's own clock."""
