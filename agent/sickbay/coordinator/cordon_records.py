"""The cordons of a cluster without a scheduler, in memory for looking and in the store for good."""

from collections.abc import Iterable, Mapping

from sickbay.coordinator.store import Batch, Store, StoreError
from sickbay.core.ids import NodeName
from sickbay.orchestrators.records import CordonRecord, RecordsError


class StoredCordonRecords:
    """`CordonRecords` over a store."""

    def __init__(self, store: Store, known: Iterable[CordonRecord]) -> None:
        """`known` is what the store held at the start."""
        self._store = store
        self._known = {record.node: record for record in known}

    async def load(self, node: NodeName) -> CordonRecord | None:
        """The record of a node; None: it is in service."""
        return self._known.get(node)

    async def load_all(self) -> Mapping[NodeName, CordonRecord]:
        """Every record."""
        return dict(self._known)

    async def save(self, record: CordonRecord) -> None:
        """Keep this record in place of the node's last. Memory follows the disk, never the other way."""
        await self._commit(Batch(cordons=(record,)))
        self._known[record.node] = record

    async def remove(self, node: NodeName) -> None:
        """Forget the node's record; no error if there is none."""
        await self._commit(Batch(uncordoned=(node,)))
        self._known.pop(node, None)

    async def _commit(self, batch: Batch) -> None:
        try:
            await self._store.commit(batch)
        except StoreError as error:
            raise RecordsError(str(error)) from error
