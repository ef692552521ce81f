"""Incidents: one cause on one part of one node, with everything that it explains.

Correlation is level-triggered: it is given all that a node reports now and all incidents that are open on it,
and says what the incidents are. Calling it twice with the same arguments changes nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sickbay.core.conditions import Condition, Mode, Severity
from sickbay.core.devices import Subject
from sickbay.core.gates import Decision
from sickbay.core.ids import BootId, IncidentId, NodeName, RemediationId, RuleId
from sickbay.core.milestones import Milestones

Strength = Mapping[str, int]
"""How far each remedy goes, by its id; a remedy that is not named here is the weakest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A cause and what it explains. The first of `conditions` is the cause's key; times are Unix seconds."""

    id: IncidentId
    node: NodeName
    boot_id: BootId
    family: str
    subject: Subject
    severity: Severity
    reason: str
    rule: RuleId
    message: str
    conditions: tuple[str, ...]
    opened_at: float
    updated_at: float
    remedy: str = ""
    mode: Mode = Mode.OBSERVE
    synthetic: bool = False
    closed_at: float | None = None
    closed_because: str = ""
    snoozed: bool = False
    remediation: RemediationId | None = None
    decision: Decision | None = None
    milestones: Milestones = field(default_factory=Milestones)

    @property
    def is_open(self) -> bool:
        """Whether anything of it may still be so."""
        return self.closed_at is None

    def closed(self, *, at: float, because: str) -> "Incident":
        """The same incident, ended."""
        return replace(self, closed_at=at, closed_because=because, updated_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """All incidents of a node after looking, and those among them that differ from before."""

    incidents: tuple[Incident, ...]
    changed: tuple[Incident, ...]


def incident_id(node: NodeName, boot_id: BootId, cause: str, since: float) -> IncidentId:
    """The id follows from the cause, so the same cause told twice cannot open two incidents."""
    digest = hashlib.sha256(f"{node}|{boot_id}|{cause}|{since:.6f}".encode()).hexdigest()
    return IncidentId(f"inc-{digest[:12]}")


def correlate(
    known: Sequence[Incident],
    conditions: Sequence[Condition],
    *,
    node: NodeName,
    boot_id: BootId,
    now: float,
    strength: Strength,
) -> Correlation:
    """What the open incidents of `node` are, given every condition that it reports.

    Conditions of one GPU share an incident, and so do those of the node itself. An incident whose conditions
    have all cleared ends, unless a remediation holds it: then the proof of the repair ends it. A condition of
    another boot than `boot_id` speaks of a machine that is gone and opens nothing.
    """
    before = {incident.id: incident for incident in known if incident.is_open}
    groups = _by_part(_worth_an_incident(conditions, boot_id))
    after: dict[IncidentId, Incident] = {}
    for part, group in groups.items():
        held = next((i for i in before.values() if _part_of(i.subject) == part and i.id not in after), None)
        incident = (
            _opened(group, node=node, boot_id=boot_id, now=now, strength=strength)
            if held is None
            else _joined(held, group, now=now, strength=strength)
        )
        after[incident.id] = incident
    for incident in before.values():
        if incident.id not in after:
            after[incident.id] = _without_conditions(incident, boot_id=boot_id, now=now)
    changed = tuple(i for i in after.values() if before.get(i.id) != i)
    return Correlation(incidents=tuple(after.values()), changed=changed)


def strongest_remedy(remedies: Iterable[str], strength: Strength) -> str:
    """The remedy that goes furthest; the empty text when there is none."""
    return max((r for r in remedies if r), key=lambda r: (strength.get(r, -1), r), default="")


def _worth_an_incident(conditions: Iterable[Condition], boot_id: BootId) -> list[Condition]:
    return [
        c
        for c in conditions
        if c.is_open and c.boot_id == boot_id and c.severity.rank >= Severity.WARNING.rank
    ]


def _part_of(subject: Subject) -> str:
    return subject.gpu_key or "node"


def _by_part(conditions: Iterable[Condition]) -> dict[str, list[Condition]]:
    groups: dict[str, list[Condition]] = {}
    for condition in conditions:
        groups.setdefault(_part_of(condition.subject), []).append(condition)
    return groups


def _cause(group: Sequence[Condition], strength: Strength) -> Condition:
    """The condition that explains the others: the furthest remedy, then the gravest, then the earliest."""
    return min(
        group,
        key=lambda c: (-strength.get(c.remedy, -1), -c.severity.rank, -c.mode.rank, c.t0 or c.since, c.key),
    )


def _opened(
    group: Sequence[Condition],
    *,
    node: NodeName,
    boot_id: BootId,
    now: float,
    strength: Strength,
) -> Incident:
    cause = _cause(group, strength)
    return Incident(
        id=incident_id(node, boot_id, cause.key, cause.since),
        node=node,
        boot_id=boot_id,
        family=cause.family,
        subject=cause.subject,
        severity=cause.severity,
        reason=cause.reason,
        rule=cause.rule,
        message=cause.message,
        conditions=_cause_first(cause, group),
        opened_at=now,
        updated_at=now,
        remedy=cause.remedy,
        mode=cause.mode,
        synthetic=all(c.synthetic for c in group),
        milestones=Milestones(t0=cause.t0 or None, t1=cause.t1 or None, t2=now),
    )


def _joined(held: Incident, group: Sequence[Condition], *, now: float, strength: Strength) -> Incident:
    """The held incident with today's conditions; it keeps its own cause unless a graver one came."""
    cause = _cause(group, strength)
    graver = (strength.get(cause.remedy, -1), cause.severity.rank) > (
        strength.get(held.remedy, -1),
        held.severity.rank,
    )
    keys = _cause_first(cause, group) if graver else _kept_order(held.conditions, group)
    joined = replace(
        held,
        conditions=keys,
        boot_id=cause.boot_id,
        synthetic=held.synthetic and all(c.synthetic for c in group),
    )
    if graver:
        joined = replace(
            joined,
            severity=max(cause.severity, held.severity, key=lambda s: s.rank),
            reason=cause.reason,
            rule=cause.rule,
            message=cause.message,
            family=cause.family,
            remedy=cause.remedy,
            mode=cause.mode,
        )
    return held if joined == held else replace(joined, updated_at=now)


def _cause_first(cause: Condition, group: Sequence[Condition]) -> tuple[str, ...]:
    return (cause.key, *sorted(c.key for c in group if c.key != cause.key))


def _kept_order(keys: Sequence[str], group: Sequence[Condition]) -> tuple[str, ...]:
    present = {c.key for c in group}
    kept = [key for key in keys if key in present]
    return (*kept, *sorted(present.difference(kept)))


def _without_conditions(incident: Incident, *, boot_id: BootId, now: float) -> Incident:
    if incident.remediation is not None:
        return incident
    because = "its conditions cleared" if incident.boot_id == boot_id else "a new boot does not show it"
    return incident.closed(at=now, because=because)
