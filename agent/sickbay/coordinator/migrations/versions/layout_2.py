"""Who leads, where several coordinators share one database.

Coordinators of before migrations look at `schema` in `meta` alone, so the number there rises too: they then
refuse to start, as they should on tables that they do not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and turn away the coordinators that do not know it."""
    op.create_table(
        "leadership",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
    )
    meta = sa.table("meta", sa.column("key", sa.String), sa.column("value", sa.String))
    op.execute(sa.delete(meta).where(meta.c.key == "schema"))
    op.execute(sa.insert(meta).values(key="schema", value=revision))
