"""Incidents: one cause on one part of one node, with everything that it explains.

Correlation is level-triggered: it is given all that a node reports now and the incidents that are known of
it, and says what the incidents are. Calling it twice with the same arguments changes nothing, and the order
in which conditions or incidents are told makes no difference.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sickbay.core.conditions import Condition, Mode, Severity, Status
from sickbay.core.decisions import Decision
from sickbay.core.devices import Subject
from sickbay.core.ids import BootId, IncidentId, NodeName, RemediationId, RuleId
from sickbay.core.milestones import Milestones

Strength = Mapping[str, tuple[int, ...]]
"""How far each remedy goes, by its id (`Remedy.strength`); one that is not named here does nothing."""

_BY_VALIDATION = "repaired and validated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A cause and what it explains. The first of `conditions` is the cause's key; times are Unix seconds.

    `remediation` names the latest remediation that took the incident up, also after that has ended.
    """

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

    def repaired(self, *, at: float) -> "Incident":
        """The same incident, ended by a repair that was proved."""
        return self.closed(at=at, because=_BY_VALIDATION) if self.is_open else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """All incidents that were known or have opened, and those among them that differ from before."""

    incidents: tuple[Incident, ...]
    changed: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What correlation must know beside the conditions.

    `active` is the remediation that runs on the node; its incidents end with its proof, not before.
    `snoozed` holds the families that a person lately took into their own hands.
    """

    node: NodeName
    boot_id: BootId
    strength: Strength
    active: RemediationId | None = None
    snoozed: Collection[str] = ()


def incident_id(node: NodeName, boot_id: BootId, cause: str, since: float) -> IncidentId:
    """The id follows from the cause, so the same cause told twice cannot open two incidents."""
    digest = hashlib.sha256(f"{node}|{boot_id}|{cause}|{since:.6f}".encode()).hexdigest()
    return IncidentId(f"inc-{digest[:12]}")


def correlate(
    known: Iterable[Incident],
    conditions: Iterable[Condition],
    *,
    given: Circumstances,
    now: float,
) -> Correlation:
    """What the incidents of a node are, given every condition that it reports.

    Conditions of one GPU share an incident, and so do those of the node itself. An incident speaks of its
    gravest condition as it is now. It ends when all its conditions have cleared, unless the active
    remediation holds it; a condition that became UNKNOWN has not cleared. A condition of another boot than
    the present one speaks of a machine that is gone and counts for nothing. `known` may hold closed
    incidents: the cause that opened one of them opens it again, rather than a twin.
    """
    before = {incident.id: incident for incident in sorted(known, key=_age)}
    present = [c for c in conditions if c.boot_id == given.boot_id and c.status is not Status.FALSE]
    groups = _by_part(c for c in present if c.is_open and c.severity.rank >= Severity.WARNING.rank)
    doubtful = {c.key: c for c in present if c.status is Status.UNKNOWN}
    after = dict(before)
    for part, group in groups.items():
        incident = _incident_of(part, group, after.values(), doubtful, given, now)
        after[incident.id] = incident
    for incident in before.values():
        if incident.is_open and _part_of(incident.subject) not in groups:
            after[incident.id] = _without_conditions(incident, doubtful, given, now)
    ordered = tuple(sorted(after.values(), key=_age))
    return Correlation(
        incidents=ordered,
        changed=tuple(i for i in ordered if before.get(i.id) != i),
    )


def strongest_remedy(remedies: Iterable[str], strength: Strength) -> str:
    """The remedy that goes furthest; the empty text when there is none."""
    return max((r for r in remedies if r), key=lambda r: (strength.get(r, ()), r), default="")


def _age(incident: Incident) -> tuple[float, str]:
    return (incident.opened_at, incident.id)


def _part_of(subject: Subject) -> str:
    return subject.gpu_key or "node"


def _by_part(conditions: Iterable[Condition]) -> dict[str, list[Condition]]:
    groups: dict[str, list[Condition]] = {}
    for condition in conditions:
        groups.setdefault(_part_of(condition.subject), []).append(condition)
    return groups


def _incident_of(
    part: str,
    group: Sequence[Condition],
    known: Iterable[Incident],
    doubtful: Mapping[str, Condition],
    given: Circumstances,
    now: float,
) -> Incident:
    known = tuple(known)
    held = next((i for i in known if i.is_open and _part_of(i.subject) == part), None)
    if held is not None:
        kept = [doubtful[key] for key in held.conditions if key in doubtful]
        return _told(held, [*group, *kept], given, now)
    cause = _cause(group, given.strength)
    ident = incident_id(given.node, given.boot_id, cause.key, cause.since)
    former = next((i for i in known if i.id == ident), None)
    if former is not None:
        return _told(replace(former, closed_at=None, closed_because=""), group, given, now)
    return _opened(ident, cause, group, given, now)


def _cause(group: Sequence[Condition], strength: Strength) -> Condition:
    """The condition that explains the others.

    Real evidence goes before injected, so that a drill hides nothing; what may be acted on goes before what
    may only be watched, so that a rule on trial cannot hold back a proven one; then the furthest remedy, the
    gravest, the earliest.
    """
    return min(
        group,
        key=lambda c: (
            c.synthetic,
            -(c.mode.rank if strength.get(c.remedy) else -1),
            tuple(-rank for rank in strength.get(c.remedy, ())) or (1,),
            bool(c.caused_by),
            -c.severity.rank,
            c.t0 or c.since,
            c.key,
        ),
    )


def _opened(
    ident: IncidentId,
    cause: Condition,
    group: Sequence[Condition],
    given: Circumstances,
    now: float,
) -> Incident:
    return Incident(
        id=ident,
        node=given.node,
        boot_id=cause.boot_id,
        family=cause.family,
        subject=cause.subject,
        severity=_gravest(group),
        reason=cause.reason,
        rule=cause.rule,
        message=cause.message,
        conditions=_cause_first(cause, group),
        opened_at=now,
        updated_at=now,
        remedy=cause.remedy,
        mode=cause.mode,
        synthetic=cause.synthetic,
        snoozed=cause.family in given.snoozed,
        milestones=Milestones(t0=cause.t0 or None, t1=cause.t1 or None, t2=now),
    )


def _told(held: Incident, group: Sequence[Condition], given: Circumstances, now: float) -> Incident:
    """The held incident as today's conditions tell it; only its identity and its story stay."""
    cause = _cause(group, given.strength)
    told = replace(
        held,
        boot_id=cause.boot_id,
        family=cause.family,
        subject=cause.subject,
        severity=_gravest(group),
        reason=cause.reason,
        rule=cause.rule,
        message=cause.message,
        conditions=_cause_first(cause, group),
        remedy=cause.remedy,
        mode=cause.mode,
        synthetic=cause.synthetic,
    )
    return held if told == held and held.is_open else replace(told, updated_at=now)


def _gravest(group: Sequence[Condition]) -> Severity:
    return max((c.severity for c in group), key=lambda severity: severity.rank)


def _cause_first(cause: Condition, group: Sequence[Condition]) -> tuple[str, ...]:
    return (cause.key, *sorted({c.key for c in group} - {cause.key}))


def _without_conditions(
    incident: Incident,
    doubtful: Mapping[str, Condition],
    given: Circumstances,
    now: float,
) -> Incident:
    if any(key in doubtful for key in incident.conditions):
        return incident
    if incident.remediation is not None and incident.remediation == given.active:
        return incident
    same_boot = incident.boot_id == given.boot_id
    return incident.closed(
        at=now,
        because="its conditions cleared" if same_boot else "a new boot does not show it",
    )
