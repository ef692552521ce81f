"""What people ask of the coordinator: to see, to take a node out, to give one back."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sickbay.coordinator.course import Course
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.scheduler_watch import SchedulerWatch
from sickbay.coordinator.store import LedgerEntry, StoreError
from sickbay.core.conditions import Condition
from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.orchestration import Ownership
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remediation import Remediation
from sickbay.core.remediation_steps import cancelled
from sickbay.core.signals import Signal
from sickbay.core.views import FleetView, IncidentDetail, NodeDetail, NodeSummary
from sickbay.host.clock import Clock
from sickbay.orchestrators.protocol import Orchestrator
from sickbay.rpc.ports import EventQuery, NotFound, Refused

BY_HAND = "operator "
"""How the reason of a person's cordon begins that was made through us."""

_BEFORE_EVIDENCE = 60.0
"""Seconds before an incident's first evidence from which its events are shown."""

_EVENTS_SHOWN = 200

_MORE_THAN_ONE = 2


@dataclass(slots=True, kw_only=True)
class Operations:
    """`FleetOperations` over the fleet in memory, its history in the store, and the scheduler."""

    fleet_state: Fleet
    orchestrator: Orchestrator
    watch_on_scheduler: SchedulerWatch
    course: Course
    policy: Policy
    clock: Clock
    wake: Callable[[NodeName], None]
    coordinator: str
    version: str
    rules_digest: str
    started_at: float

    async def fleet(self) -> FleetView:
        """The fleet in a dozen figures."""
        states = tuple(self.fleet_state)
        return FleetView(
            coordinator=self.coordinator,
            version=self.version,
            term=self.policy.term,
            mode=self.policy.mode,
            orchestrator=self.orchestrator.name,
            nodes=len(states),
            connected=sum(state.session is not None for state in states),
            open_incidents=sum(len(state.open_incidents) for state in states),
            active_remediations=sum(state.active is not None for state in states),
            started_at=self.started_at,
            rules_digest=self.rules_digest,
        )

    async def nodes(self) -> Sequence[NodeSummary]:
        """Every known node, by name."""
        return [summary(state) for state in sorted(self.fleet_state, key=lambda state: state.name)]

    async def node(self, name: NodeName) -> NodeDetail:
        """One node, whole."""
        state = self._known(name)
        incidents = await self.incidents(node=name, include_closed=True, limit=20)
        return NodeDetail(
            summary=summary(state),
            inventory=state.inventory,
            conditions=_conditions(state),
            readings=_readings(state),
            incidents=tuple(incidents),
        )

    async def incidents(self, *, node: NodeName, include_closed: bool, limit: int) -> Sequence[Incident]:
        """Open first, then the most recently closed."""
        if node:
            self._known(node)
        with _answering():
            return await self.fleet_state.store.incidents(
                node=node,
                include_closed=include_closed,
                limit=limit,
            )

    async def incident(self, ident: IncidentId) -> IncidentDetail:
        """One incident, whole. A unique prefix of an id is enough."""
        with _answering():
            incident = await self._incident(ident)
            state = self._known(incident.node)
            events = await self._events_of(incident)
            rem = await self._remediation_of(incident, state)
        conditions = tuple(state.conditions[key] for key in incident.conditions if key in state.conditions)
        return IncidentDetail(incident=incident, conditions=conditions, remediation=rem, events=events)

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Oldest first."""
        if query.node:
            self._known(query.node)
        with _answering():
            return await self.fleet_state.store.events(query)

    def watch(self, node: NodeName) -> AsyncIterator[Incident | Remediation]:
        """All that is open, and then every change as it is committed."""
        if node:
            self._known(node)
        return self.fleet_state.watchers.watch(node, lambda: self._open(node))

    def _open(self, node: NodeName) -> Iterator[Incident | Remediation]:
        for state in [self._known(node)] if node else self.fleet_state:
            yield from state.open_incidents
            if state.active is not None:
                yield state.active

    async def cordon(self, node: NodeName, *, reason: str, operator: str) -> Outcome:
        """A person's cordon: a remediation that runs on the node ends, and none begins while it stands."""
        state = self._known(node)
        words = f"{BY_HAND}{operator or 'unknown'}: {reason or 'no reason given'}"
        await self._ended_by(state, operator, f"{operator} cordoned the node: {reason}")
        async with state.effecting:
            outcome = await self.orchestrator.hold(node, " ".join(words.split()))
            state.touch(self.clock.now().mono)
        await self._done_by(state, operator, "cordon", reason, outcome)
        return outcome

    async def give_back(self, node: NodeName, *, operator: str) -> Outcome:
        """A person's return: ends what runs on the node, snoozes its incidents, and gives back what is held.

        FAILED when someone else holds the node: what was not taken through us is not ours to give.
        """
        state = self._known(node)
        seen = await self.watch_on_scheduler.observed(state, 0.0)
        if seen.ownership is Ownership.UNKNOWN:
            return Outcome.unknown(f"the scheduler does not say who holds {node}: {seen.detail}")
        if seen.ownership is Ownership.FOREIGN and not seen.reason.startswith(BY_HAND):
            return Outcome.failed(f"{node} is held by someone else, left alone: {seen.reason}")
        self.course.snooze(state, state.open_incidents)
        await self._ended_by(state, operator, f"{operator} gave the node back")
        async with state.effecting:
            outcome = await self.orchestrator.release(node)
            state.touch(self.clock.now().mono)
        self._trust_again(state, operator)
        await self._done_by(state, operator, "return", "", outcome)
        return outcome

    def _trust_again(self, state: NodeState, operator: str) -> None:
        """A person answers for the node as it is: it waits for nobody, and what it has now is what it has."""
        if state.is_quarantined:
            self.course.let_go(state, f"{BY_HAND}{operator}", "given back")
        state.put_record(replace(state.record, baseline=None))

    async def _ended_by(self, state: NodeState, operator: str, why: str) -> None:
        """End what runs on the node, for good, before the scheduler is asked for anything."""
        if state.active is not None:
            self.course.moved(state, cancelled(state.active, self.clock.now().wall, why))
            self._note(state, operator, "remediation cancelled", why, "")
        with _answering():
            await self.fleet_state.commit(state)

    async def _done_by(
        self,
        state: NodeState,
        operator: str,
        what: str,
        why: str,
        outcome: Outcome,
    ) -> None:
        self._note(state, operator, what, f"{why} {outcome.detail}".strip(), outcome.verdict.value)
        with _answering():
            await self.fleet_state.commit(state)
        if outcome.verdict is Verdict.DONE:
            self.wake(state.name)

    def _note(self, state: NodeState, operator: str, what: str, why: str, after: str) -> None:
        entry = LedgerEntry(
            at=self.clock.now().wall,
            who=f"{BY_HAND}{operator or 'unknown'}",
            what=what,
            node=state.name,
            why=why,
            after=after,
        )
        self.fleet_state.note(state, entry)

    def _known(self, name: NodeName) -> NodeState:
        state = self.fleet_state.get(name)
        if state is None:
            raise NotFound(f"no node {name!r}: no agent of that name has ever connected")
        return state

    async def _incident(self, ident: IncidentId) -> Incident:
        prefix = ident if ident.startswith("inc-") else f"inc-{ident}"
        found = await self.fleet_state.store.incidents_by_prefix(prefix, _MORE_THAN_ONE)
        if not found:
            raise NotFound(f"no incident {ident!r}")
        if len(found) > 1 and found[0].id != prefix:
            raise Refused(f"more than one incident begins with {prefix}: {found[0].id}, {found[1].id}, …")
        return found[0]

    async def _events_of(self, incident: Incident) -> tuple[Event, ...]:
        """The node's history around the incident, as far as it concerns the same part."""
        begin = (incident.milestones.t0 or incident.opened_at) - _BEFORE_EVIDENCE
        query = EventQuery(node=incident.node, since=begin, limit=_EVENTS_SHOWN)
        part = incident.subject.gpu_key
        events = await self.fleet_state.store.events(query)
        return tuple(event for event in events if event.what.subject.gpu_key in {part, ""})

    async def _remediation_of(self, incident: Incident, state: NodeState) -> Remediation | None:
        if incident.remediation is None:
            return None
        if state.remediation is not None and state.remediation.id == incident.remediation:
            return state.remediation
        return await self.fleet_state.store.remediation(incident.remediation)


def summary(state: NodeState) -> NodeSummary:
    """One node in a line."""
    present = [c for c in state.conditions.values() if c.is_open]
    seen = state.observation
    shown = state.active or (state.remediation if state.is_quarantined else None)
    return NodeSummary(
        node=state.name,
        boot_id=state.boot_id or state.record.boot_id,
        version=state.record.version,
        connected=state.session is not None,
        last_seen=state.heard_wall,
        gpus=len(state.inventory.gpus),
        worst=max((c.severity for c in present), key=lambda s: s.rank, default=None),
        ownership=Ownership.UNKNOWN if seen is None else seen.ownership,
        schedulable=None if seen is None else seen.schedulable,
        scheduler_state="" if seen is None else seen.state or seen.detail,
        scheduler_reason="" if seen is None else seen.reason,
        remediation=shown,
        open_conditions=len(present),
        nvml=state.inventory.nvml,
    )


def _conditions(state: NodeState) -> tuple[Condition, ...]:
    """The gravest first."""
    return tuple(sorted(state.conditions.values(), key=lambda c: (-c.severity.rank, c.key)))


def _readings(state: NodeState) -> tuple[Signal, ...]:
    return tuple(signal for _, signal in sorted(state.readings.items()))


class _answering:  # noqa: N801 - reads as a statement where it is used
    """The store's trouble, as people are told it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StoreError):
            raise Refused(str(error)) from error
