"""The fleet in memory, and the one way from there to the disk."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from sickbay.coordinator.node_state import NodeState, Outbox
from sickbay.coordinator.store import Batch, LedgerEntry, NodeRecord, Snapshot, Store, StoreError
from sickbay.coordinator.watchers import Watchers
from sickbay.core.ids import BootId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.remediation import Remediation

_LOG = logging.getLogger(__name__)


class Fleet:
    """Every known node. Memory is changed first and at once; `commit` then makes it durable.

    What could not be committed stays in the node's outbox and goes with its next commit, so the disk follows
    as soon as it can. Nothing may be done to a node before the commit that journals it has returned.
    """

    def __init__(self, store: Store) -> None:
        """An empty fleet over `store`; `restore` fills it."""
        self.store = store
        self.watchers = Watchers()
        self.on_commit: list[Callable[[Batch], None]] = [self.watchers.committed]
        self._nodes: dict[NodeName, NodeState] = {}
        self.on_change: list[Callable[[NodeState, Incident | None], None]] = []
        self._committing: set[asyncio.Task[None]] = set()

    @property
    def nodes(self) -> Mapping[NodeName, NodeState]:
        """Every known node by its name."""
        return self._nodes

    def __iter__(self) -> Iterator[NodeState]:
        return iter(self._nodes.values())

    def get(self, name: NodeName) -> NodeState | None:
        """The node of that name, if it is known."""
        return self._nodes.get(name)

    def learn(self, name: NodeName, boot_id: BootId, version: str, now: float) -> NodeState:
        """The node of that name; one that was not known is known from now on."""
        state = self._nodes.get(name)
        if state is None:
            record = NodeRecord(node=name, boot_id=boot_id, version=version, first_seen=now, boots=(boot_id,))
            state = self._nodes[name] = NodeState(record=record, changed=self._changed)
            state.outbox.record = record
            self._changed(state, None)
        return state

    def restore(self, snapshot: Snapshot, resumed: Callable[[Remediation], Remediation]) -> None:
        """Take up what a former coordinator left. `resumed` says what an interrupted remediation is now.

        Raises:
            StoreError: when the store speaks of a node that it does not know: then it is not whole.
        """
        for record in snapshot.nodes:
            state = NodeState(record=record, boot_id=record.boot_id, changed=self._changed)
            self._nodes[record.node] = state
            self._changed(state, None)
        for incident in sorted(snapshot.incidents, key=lambda i: (i.opened_at, i.id)):
            self._restored(incident.node, incident.id).put_incident(incident)
        # The active one last, so that it is the node's remediation whatever else there was.
        for rem in sorted(snapshot.remediations, key=lambda r: (r.is_active, r.opened_at)):
            self._restored(rem.node, rem.id).put_remediation(rem)
        for state in self:
            state.outbox = Outbox()
            if state.active is not None:
                state.put_remediation(resumed(state.active))

    def _changed(self, state: NodeState, incident: Incident | None) -> None:
        for told in self.on_change:
            told(state, incident)

    def _restored(self, name: NodeName, what: str) -> NodeState:
        state = self._nodes.get(name)
        if state is None:
            raise StoreError(f"the store is not whole: {what} belongs to {name}, which is not in table nodes")
        return state

    def note(self, state: NodeState, entry: LedgerEntry) -> None:
        """A line for the ledger, stored with the node's next commit; it says which rules the node runs."""
        if entry.rule:
            known = state.record.rules
            digest = state.rules_digest or known.rules_digest
            entry = replace(entry, rules=digest, rules_version=known.version)
        state.outbox.ledger.append(entry)

    async def commit(self, state: NodeState) -> None:
        """Make all that has changed on the node durable. StoreError when that failed; nothing is lost by it.

        A caller that is cancelled meanwhile leaves the commit to end by itself.
        """
        outbox, state.outbox = state.outbox, Outbox()
        batch = outbox.batch()
        if batch.is_empty:
            return
        task = asyncio.create_task(self._commit(state, outbox, batch))
        self._committing.add(task)
        task.add_done_callback(self._committed)
        await asyncio.shield(task)

    async def _commit(self, state: NodeState, outbox: Outbox, batch: Batch) -> None:
        try:
            await self.store.commit(batch)
        except StoreError:
            state.take_back(outbox)
            raise
        for told in self.on_commit:
            told(batch)

    def _committed(self, task: "asyncio.Task[None]") -> None:
        self._committing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("%s; it is tried again with the node's next change", error)

    def incidents(self) -> Iterator[Incident]:
        """Every open incident, node by node."""
        for state in self:
            yield from state.open_incidents
