"""Gates: may this be done to a node? Each answers, and each answer is kept, whether it let through or held.

Gates bind what can harm: cordon, drain, repair. Clearing an incident and giving a node back never pass here.
A fact that is not known holds: the safe side of every gate is shut.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sickbay.core.conditions import Mode
from sickbay.core.ids import BootId, RemediationId
from sickbay.core.instants import format_duration
from sickbay.core.orchestration import Ownership


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one gate said, in words for the person who asks why."""

    gate: str
    passed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All gates' answers at one moment. `allowed` only if every gate let through."""

    allowed: bool
    at: float
    findings: tuple[Finding, ...]

    @property
    def held_by(self) -> tuple[str, ...]:
        """The gates that held, in their order."""
        return tuple(finding.gate for finding in self.findings if not finding.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Every fact that the gates look at. Times are Unix seconds; None is *not known*.

    `evidence_at` is when the fault was last seen to be so, on the coordinator's clock.
    """

    rule_mode: Mode
    cluster_mode: Mode
    synthetic: bool
    accept_synthetic: bool
    has_remedy: bool
    incident_open: bool
    snoozed: bool
    incident_boot: BootId
    node_boot: BootId | None
    evidence_at: float | None
    max_age: float
    ownership: Ownership
    foreign_reason: str
    active_remediation: RemediationId | None
    this_remediation: RemediationId | None


Gate = Callable[[Case, float], Finding]


def decide(case: Case, now: float) -> Decision:
    """Ask every gate, in order. None is skipped, so that an explanation is always whole."""
    findings = tuple(gate(case, now) for gate in GATES)
    return Decision(allowed=all(finding.passed for finding in findings), at=now, findings=findings)


def mode(case: Case, _now: float) -> Finding:
    """Only a rule in mode `act`, in a cluster in mode `act`, touches a node."""
    effective = case.rule_mode.capped(case.cluster_mode)
    why = f"rule says {case.rule_mode.value}, the cluster allows {case.cluster_mode.value}"
    if not case.has_remedy:
        return Finding(gate="mode", passed=False, why="the rule names no remedy")
    return Finding(gate="mode", passed=effective is Mode.ACT, why=why)


def synthetic(case: Case, _now: float) -> Finding:
    """An injected fault acts only where somebody asked for a drill."""
    if not case.synthetic:
        return Finding(gate="synthetic", passed=True, why="the evidence is real")
    why = "injected; drills are allowed here" if case.accept_synthetic else "injected; drills are not allowed"
    return Finding(gate="synthetic", passed=case.accept_synthetic, why=why)


def owner(case: Case, _now: float) -> Finding:
    """Someone else's cordon is never overridden, and an unknown owner is someone else."""
    match case.ownership:
        case Ownership.NONE:
            return Finding(gate="owner", passed=True, why="nobody holds the node")
        case Ownership.OURS:
            return Finding(gate="owner", passed=True, why="the cordon is ours")
        case Ownership.FOREIGN:
            reason = case.foreign_reason or "no reason given"
            return Finding(gate="owner", passed=False, why=f"held by someone else: {reason}")
        case Ownership.UNKNOWN:
            return Finding(gate="owner", passed=False, why="the scheduler could not say who holds the node")


def freshness(case: Case, now: float) -> Finding:
    """The fault is still there, on the machine as it runs now, and was seen lately."""
    if not case.incident_open:
        return Finding(gate="freshness", passed=False, why="the incident is over")
    if case.snoozed:
        return Finding(gate="freshness", passed=False, why="a person took the node back; snoozed")
    if case.node_boot is None or case.evidence_at is None:
        return Finding(gate="freshness", passed=False, why="nothing is known of the node's present boot")
    if case.node_boot != case.incident_boot:
        return Finding(gate="freshness", passed=False, why="the evidence is of an earlier boot")
    age = now - case.evidence_at
    why = f"last seen {format_duration(age)} ago, at most {format_duration(case.max_age)} allowed"
    return Finding(gate="freshness", passed=age <= case.max_age, why=why)


def one_remediation(case: Case, _now: float) -> Finding:
    """A node has one remediation; a second fault joins it instead of starting another."""
    active = case.active_remediation
    if active is None or active == case.this_remediation:
        return Finding(gate="one-remediation", passed=True, why="no other remediation runs on the node")
    return Finding(gate="one-remediation", passed=False, why=f"{active} runs on the node")


GATES: tuple[Gate, ...] = (mode, synthetic, owner, freshness, one_remediation)
"""The order in which a person reads them: may we at all, is it ours, is it so, is it free."""
