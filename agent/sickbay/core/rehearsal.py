"""What would have been done: from conditions of a history to incidents, cordons and repairs.

A rehearsal answers how often, on which nodes and why, not how long. The cluster is ideal: every cordon
succeeds, jobs leave at once, and a repair works unless the fault comes back. So two rule sets are compared
under the same conditions, and the real ones' delays and refusals stay out of it. Attempts are bounded as the
remedy says, and a node that has used them up goes to a person. Gates that depend on the fleet of the moment
are not rehearsed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sickbay.core.conditions import Condition, Mode
from sickbay.core.history import Acted
from sickbay.core.ids import NodeName
from sickbay.core.incidents import Circumstances, Incident, Strength, correlate
from sickbay.core.instants import Instant
from sickbay.core.remedies import NO_REMEDY, Remedy, RungKind
from sickbay.core.replay import Change

CORDON = "cordon"
QUARANTINE = RungKind.QUARANTINE.value
PROPOSAL = "propose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """One thing that would have been done, with the incident that asked for it."""

    node: NodeName
    now: Instant
    what: str
    incident: Incident


@dataclass(slots=True, kw_only=True)
class NodeRehearsal:
    """One node: what is wrong with it, and what was done about it in which hour.

    `mode` is the cluster's, which caps every rule's own.
    """

    node: NodeName
    remedies: Mapping[str, Remedy]
    strength: Strength
    mode: Mode = Mode.ACT
    conditions: dict[str, Condition] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    opened: int = 0
    _repairs: dict[str, list[float]] = field(default_factory=dict)
    _handled: set[str] = field(default_factory=set)
    _with_a_person: bool = False

    def take(self, change: Change) -> Iterator[Rehearsed]:
        """What follows from a condition that opened, changed or cleared."""
        condition = change.condition
        if condition.is_open:
            self.conditions[condition.key] = condition
        else:
            self.conditions.pop(condition.key, None)
        for incident in self._diagnosed(condition, change.now):
            yield from self._answer(incident, change.now)

    def _diagnosed(self, condition: Condition, now: Instant) -> Iterator[Incident]:
        given = Circumstances(node=self.node, boot_id=condition.boot_id, strength=self.strength)
        found = correlate(self.incidents.values(), self.conditions.values(), given=given, now=now.wall)
        for incident in found.changed:
            if incident.id not in self.incidents:
                self.opened += 1
            if not incident.is_open:
                self.incidents.pop(incident.id, None)
                continue
            self.incidents[incident.id] = incident
            yield incident

    def _answer(self, incident: Incident, now: Instant) -> Iterator[Rehearsed]:
        """One answer an incident and remedy: a stronger remedy is a new question, the same one is not."""
        remedy = self.remedies.get(incident.remedy, NO_REMEDY)
        asked = f"{incident.id}|{remedy.id}|{incident.mode.value}"
        mode = incident.mode.capped(self.mode)
        if not remedy.acts or mode is Mode.OBSERVE or asked in self._handled or incident.synthetic:
            return
        self._handled.add(asked)
        if mode is Mode.PROPOSE:
            yield self._did(PROPOSAL, incident, now)
        elif not self._with_a_person:
            yield self._did(CORDON, incident, now)
            yield self._did(self._repair(remedy, incident.family, now), incident, now)

    def _repair(self, remedy: Remedy, family: str, now: Instant) -> str:
        """The remedy's first rung, or a person when it has been tried too often."""
        window = [at for at in self._repairs.get(family, []) if now.wall - at < remedy.attempts.window]
        first = remedy.ladder[0].kind
        if first is RungKind.QUARANTINE or len(window) >= remedy.attempts.max:
            self._with_a_person = True
            return QUARANTINE
        self._repairs[family] = [*window, now.wall]
        return str(first.value)

    def give_back(self, _acted: Acted) -> None:
        """A person, in the recorded history, gave the node back: it may be taken again."""
        self._with_a_person = False

    def _did(self, what: str, incident: Incident, now: Instant) -> Rehearsed:
        return Rehearsed(node=self.node, now=now, what=what, incident=incident)
