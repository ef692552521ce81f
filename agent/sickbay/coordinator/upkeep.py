"""Keeps the store within its bounds: what is old goes, what is open stays, and too much is said aloud."""

import logging
from dataclasses import dataclass, field, replace

from prometheus_client import CollectorRegistry, Gauge

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.store import Batch, NodeRecord, Retention, Snapshot, Store, StoreError
from sickbay.core.ids import NodeName
from sickbay.host.clock import Clock

_LOG = logging.getLogger(__name__)

_PACE = 60.0

_SEEN_EVERY = 86_400.0
"""A node's record says to within so many seconds when its agent was there: one write a node and day."""

_SEEN_AT_ONCE = 200
"""Records brought up to date in one look, so that a large fleet's do not all fall into one second."""

_MIB = 1 << 20


@dataclass(slots=True, kw_only=True)
class Upkeep:
    """`run` it beside the reconciler. `bound` is in bytes; `retention` holds while the store is within it."""

    fleet: Fleet
    clock: Clock
    retention: Retention
    bound: int
    size: int = 0
    _is_over: bool = field(default=False, init=False)

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.clock.sleep(_PACE)
            await self.once()

    async def once(self) -> None:
        """Note who is there, forget what may go, measure what is left."""
        try:
            await self._note_seen()
            while await self.fleet.store.prune(self._kept, self.clock.now().wall):
                await self.clock.sleep(0)
            self._measured(await self.fleet.store.size())
        except StoreError as error:
            _LOG.warning("the store's history stays as it is for now: %s", error)

    @property
    def trouble(self) -> str:
        """What a person should know of the store's size; empty when it is within its bound."""
        if not self._is_over:
            return ""
        return (
            f"the store takes {self.size // _MIB} MiB, {self.bound // _MIB} MiB are allowed "
            "(database.max_bytes): half as many events are kept until it is smaller"
        )

    @property
    def _kept(self) -> Retention:
        """Events are what a flood fills a disk with, and what is missed least; nothing else is cut short."""
        usual = self.retention
        if not self._is_over:
            return usual
        return replace(usual, event_age=usual.event_age / 2, max_events=usual.max_events // 2)

    def _measured(self, size: int) -> None:
        was_over, self.size = self._is_over, size
        self._is_over = size > self.bound
        if self._is_over and not was_over:
            _LOG.error("%s", self.trouble)
        elif was_over and not self._is_over:
            _LOG.info("the store is within its bound again: %d MiB", size // _MIB)

    async def _note_seen(self) -> None:
        now = self.clock.now().wall
        noted = 0
        for state in tuple(self.fleet):
            seen = state.record.seen_at
            is_due = state.session is not None and now - seen > _SEEN_EVERY
            if (is_due or not seen) and noted < _SEEN_AT_ONCE:
                noted += 1
                state.put_record(replace(state.record, seen_at=now))
                await self.fleet.commit(state)


class StoreMetrics:
    """The size of the store, for Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Declare every figure in `registry`."""
        self._size = Gauge("sickbay_store_bytes", "What the store takes", registry=registry)
        self._bound = Gauge("sickbay_store_bytes_allowed", "database.max_bytes", registry=registry)
        self._over = Gauge(
            "sickbay_store_over_bound",
            "1 while the store takes more than it may: half as many events are kept",
            registry=registry,
        )

    def refresh(self, upkeep: Upkeep) -> None:
        """Take the last measurement."""
        self._size.set(upkeep.size)
        self._bound.set(upkeep.bound)
        self._over.set(bool(upkeep.trouble))


async def without_gone_nodes(store: Store, snapshot: Snapshot, *, now: float, kept: float) -> Snapshot:
    """Forget nodes that no agent has spoken for within `kept` seconds, with what has ended on them.

    A node with anything open, held or left to a person is never one of them. Done before a coordinator
    begins, so that nobody can be at work on what is forgotten. StoreError when that failed.
    """
    at_work = {incident.node for incident in snapshot.incidents if incident.is_open}
    at_work |= {rem.node for rem in snapshot.remediations if rem.is_active}
    at_work |= {cordon.node for cordon in snapshot.cordons}
    gone = {record.node for record in snapshot.nodes if _is_gone(record, at_work, now - kept)}
    if not gone:
        return snapshot
    await store.commit(Batch(forgotten_nodes=tuple(sorted(gone))))
    _LOG.info("%d nodes are forgotten: no agent has spoken for them for long", len(gone))
    return replace(
        snapshot,
        nodes=tuple(record for record in snapshot.nodes if record.node not in gone),
        incidents=tuple(incident for incident in snapshot.incidents if incident.node not in gone),
        remediations=tuple(rem for rem in snapshot.remediations if rem.node not in gone),
    )


def _is_gone(record: NodeRecord, at_work: set[NodeName], before: float) -> bool:
    return 0 < record.seen_at < before and record.quarantine is None and record.node not in at_work
