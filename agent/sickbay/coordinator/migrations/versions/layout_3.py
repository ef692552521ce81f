"""The ledger is searched by who, what and when; and the database itself keeps it from being rewritten.

Its triggers refuse to change a line. They refuse to remove one unless the same transaction has said in `meta`
up to which row retention lets lines go. That stops mistakes and careless hands, not the database's owner.
"""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None

_SQLITE = (
    """CREATE TRIGGER ledger_lines_stay_as_they_are BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END""",
    """CREATE TRIGGER ledger_lines_are_not_replaced BEFORE INSERT ON ledger
    WHEN EXISTS (SELECT 1 FROM ledger WHERE "row" = NEW."row")
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END""",
    """CREATE TRIGGER ledger_lines_stay BEFORE DELETE ON ledger
    WHEN OLD."row" > COALESCE(
        (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'ledger pruned to'), 0)
    BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END""",
)

_POSTGRESQL = (
    """CREATE FUNCTION sickbay_ledger_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF OLD."row" <= COALESCE(
                (SELECT value::bigint FROM meta WHERE key = 'ledger pruned to'), 0) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'the ledger is only added to';
    END $$""",
    """CREATE TRIGGER ledger_lines_stay BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION sickbay_ledger_is_only_added_to()""",
    """CREATE TRIGGER ledger_stays BEFORE TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION sickbay_ledger_is_only_added_to()""",
)

_FILL = {
    "sqlite": """UPDATE ledger SET who = json_extract(CAST(body AS TEXT), '$.who'),
        what = json_extract(CAST(body AS TEXT), '$.what')""",
    "postgresql": """UPDATE ledger SET who = convert_from(body, 'UTF8')::json ->> 'who',
        what = convert_from(body, 'UTF8')::json ->> 'what'""",
}


def upgrade() -> None:
    """Add the columns with what the lines already say, then close the table."""
    dialect = op.get_bind().dialect.name
    for name in ("who", "what"):
        op.add_column("ledger", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.execute(_FILL[dialect])
    op.create_index("ix_ledger_at", "ledger", ["at"])
    for statement in _SQLITE if dialect == "sqlite" else _POSTGRESQL:
        op.execute(statement)
    meta = sa.table("meta", sa.column("key", sa.String), sa.column("value", sa.String))
    op.execute(sa.update(meta).where(meta.c.key == "schema").values(value=revision))
