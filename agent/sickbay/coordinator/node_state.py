"""One node as the coordinator has it in memory: what it says, what is made of it, what waits to be stored.

Only the event loop touches these. Whoever reads and then writes does so without waiting in between.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sickbay.coordinator.store import AttemptRecord, Batch, LedgerEntry, NodeRecord
from sickbay.core.conditions import Condition, Status
from sickbay.core.devices import Inventory
from sickbay.core.fleet_readings import take_up
from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.messages import ActionReport, Delta, FullState
from sickbay.core.orchestration import NodeObservation
from sickbay.core.remediation import Remediation
from sickbay.core.signals import Signal
from sickbay.rpc.ports import AgentSession

CLOSED_KEPT = 8
"""Closed incidents kept in memory for each node, so that a cause told twice is known again."""

REPORTS_KEPT = 16
"""Reports kept of actions that nobody waits for: their agent came back before the question was asked anew."""


@dataclass(slots=True)
class Outbox:
    """What has changed in memory and is not yet committed: of each thing, its latest value."""

    record: NodeRecord | None = None
    incidents: dict[IncidentId, Incident] = field(default_factory=dict)
    remediations: dict[str, Remediation] = field(default_factory=dict)
    attempts: list[AttemptRecord] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)

    def batch(self) -> Batch:
        """All of it as one transaction."""
        return Batch(
            nodes=() if self.record is None else (self.record,),
            incidents=tuple(self.incidents.values()),
            remediations=tuple(self.remediations.values()),
            attempts=tuple(self.attempts),
            ledger=tuple(self.ledger),
        )


@dataclass(slots=True)
class NodeState:
    """A node. `heard` and all other moments are on the coordinator's monotonic clock, in seconds.

    `state_at` is when the last full state of the present stream came; None while none has. `evidence` says
    when each open condition's evidence was last seen, `quiet_since` since when nothing asks for a repair.
    `observed` is when the look at the scheduler began that gave `observation`, `touched` when we last changed
    something there: a look that began before that may show either state, and is not believed. `effecting` is
    held while the scheduler is asked to change something, so that a person's word cannot come in between.
    `changed` hears of every change that decisions on other nodes rest on, with the incident if it is one.
    `connected_at` is when the present stream began, `offered` the rule set that was handed out on it last.
    """

    record: NodeRecord
    session: AgentSession | None = None
    boot_id: BootId | None = None
    heard: float | None = None
    heard_wall: float = 0.0
    state_at: float | None = None
    rules_digest: str = ""
    connected_at: float = 0.0
    offered: str = ""
    inventory: Inventory = field(default_factory=Inventory)
    conditions: dict[str, Condition] = field(default_factory=dict)
    evidence: dict[str, float] = field(default_factory=dict)
    readings: dict[tuple[str, str], Signal] = field(default_factory=dict)
    incidents: dict[IncidentId, Incident] = field(default_factory=dict)
    remediation: Remediation | None = None
    observation: NodeObservation | None = None
    observed: float | None = None
    touched: float = 0.0
    quiet_since: float | None = None
    swept: ActionId | None = None
    reports: dict[ActionId, ActionReport] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    changed: "Callable[[NodeState, Incident | None], None]" = lambda _state, _incident: None
    effecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> NodeName:
        """The node's name."""
        return self.record.node

    @property
    def active(self) -> Remediation | None:
        """The remediation that runs on the node."""
        return self.remediation if self.remediation is not None and self.remediation.is_active else None

    @property
    def is_quarantined(self) -> bool:
        """Whether the node waits for a person, because its ladder came to its end."""
        return self.record.quarantine is not None

    @property
    def is_at_work(self) -> bool:
        """Whether what the scheduler says of the node matters to something that we hold open."""
        return self.active is not None or self.is_quarantined

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """The oldest first."""
        return tuple(incident for incident in self.incidents.values() if incident.is_open)

    @property
    def has_full_state(self) -> bool:
        """Whether the agent's present stream has told all that holds."""
        return self.session is not None and self.state_at is not None

    def silent_for(self, mono: float) -> float | None:
        """Seconds since the agent was last heard; None when it was not heard by this coordinator."""
        return None if self.heard is None else mono - self.heard

    def evidence_age(self, incident: Incident, mono: float) -> float | None:
        """Seconds since anything of the incident was last seen to be so; None when nothing of it is now."""
        seen = [self.evidence[key] for key in incident.conditions if key in self.evidence]
        return mono - max(seen) if seen else None

    def take_observation(self, observation: NodeObservation, began: float) -> bool:
        """What a look at the scheduler showed; returns whether it is news. `began` on the monotonic clock."""
        if began < self.touched or (self.observed is not None and began < self.observed):
            return False
        before, self.observation, self.observed = self.observation, observation, began
        if before is None or before.ownership is not observation.ownership:
            self.changed(self, None)
        return before is None or _facts(before) != _facts(observation)

    def touch(self, mono: float) -> None:
        """We changed something in the scheduler: only looks that begin from now on count."""
        self.touched = mono
        self.observed = None

    def take_full_state(self, state: FullState, mono: float) -> None:
        """All that holds now: what is not in here is not so."""
        self.state_at = mono
        self.inventory = state.inventory
        self.conditions.clear()
        self.evidence.clear()
        self.readings.clear()
        self._take_conditions(state.conditions, state.at, mono)
        take_up(self.readings, state.readings)

    def take_delta(self, delta: Delta, mono: float) -> None:
        """What changed."""
        if delta.inventory is not None:
            self.inventory = delta.inventory
        self._take_conditions(delta.conditions, delta.at, mono)
        take_up(self.readings, delta.readings)

    def begin_boot(self, boot_id: BootId) -> None:
        """The machine came up anew: nothing that it said before is so."""
        self.boot_id = boot_id
        self.conditions.clear()
        self.evidence.clear()
        self.readings.clear()
        self.swept = None

    def put_incident(self, incident: Incident) -> None:
        """Hold this value of an incident, and store it with the next commit."""
        self.incidents[incident.id] = incident
        self.outbox.incidents[incident.id] = incident
        closed = [i for i in self.incidents.values() if not i.is_open]
        for old in sorted(closed, key=lambda i: i.closed_at or 0.0)[:-CLOSED_KEPT]:
            del self.incidents[old.id]
        self.changed(self, incident)

    def put_remediation(self, rem: Remediation) -> None:
        """Hold this value of the node's remediation, and store it with the next commit."""
        self.remediation = rem
        self.outbox.remediations[rem.id] = rem
        self.changed(self, None)

    def put_record(self, record: NodeRecord) -> None:
        """Hold this value of the node's record, and store it with the next commit."""
        if record != self.record:
            self.record = record
            self.outbox.record = record
            self.changed(self, None)

    def take_back(self, lost: Outbox) -> None:
        """A commit failed: what it held is stored with the next one, as it is by now."""
        if lost.record is not None:
            self.outbox.record = self.record
        for ident, incident in lost.incidents.items():
            self.outbox.incidents[ident] = self.incidents.get(ident, incident)
        for rem in lost.remediations.values():
            current = self.remediation
            latest = current if current is not None and current.id == rem.id else rem
            self.outbox.remediations[rem.id] = latest
        self.outbox.attempts[:0] = lost.attempts
        self.outbox.ledger[:0] = lost.ledger

    def keep_report(self, report: ActionReport) -> None:
        """Keep a report until somebody asks for that action; the oldest gives way."""
        self.reports[report.action_id] = report
        while len(self.reports) > REPORTS_KEPT:
            del self.reports[next(iter(self.reports))]

    def snoozed_families(self, now: float) -> frozenset[str]:
        """The families that a person lately took into their own hands. `now` in Unix seconds."""
        return frozenset(snooze.family for snooze in self.record.snoozes if snooze.until > now)

    def _take_conditions(self, conditions: Iterable[Condition], at: float, mono: float) -> None:
        for condition in conditions:
            if condition.boot_id != self.boot_id:
                continue
            self.conditions.pop(condition.key, None)
            self.evidence.pop(condition.key, None)
            if condition.is_open:
                # Both times are the agent's own, so that its clock need not agree with ours.
                self.evidence[condition.key] = mono - max(at - condition.observed_at, 0.0)
            if condition.status is not Status.FALSE:
                self.conditions[condition.key] = condition


def _facts(observation: NodeObservation) -> tuple[object, ...]:
    """What decisions rest on; the moment of the look and its words are left out."""
    return (observation.ownership, observation.schedulable, observation.drained, observation.reboot)
