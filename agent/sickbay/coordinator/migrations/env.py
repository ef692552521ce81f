"""Alembic's entry: it runs inside the connection and the transaction of `sickbay.coordinator.layout`."""

from alembic import context

from sickbay.coordinator.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
