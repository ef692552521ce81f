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

    @property
    def why_held(self) -> str:
        """What every gate that held had to say, in one line; empty when none did."""
        return "; ".join(f"{f.gate}: {f.why}" for f in self.findings if not f.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Every fact that the gates look at. Spans are seconds; None is *not known*.

    `what` names the action for people (`cordon gpu-07`). `evidence_age` is how long ago the fault was last
    seen to be so, `silent_for` how long ago the node's agent was last heard: both are measured on monotonic
    clocks, so that a clock that is set does not make old evidence young. `under_way` says that the action
    belongs to a remediation that has already taken the node out of service; `fault_boot` is then the boot
    that its repair must lead away from. `obstacle` names a state in which only the node's owner should touch
    it. `drained` matters only to an action that `needs_drained`.
    """

    what: str
    rule_mode: Mode
    cluster_mode: Mode
    has_remedy: bool
    synthetic: bool
    accept_synthetic: bool
    ownership: Ownership
    foreign_reason: str
    obstacle: str
    incident_open: bool
    snoozed: bool
    fault_boot: BootId
    node_boot: BootId | None
    evidence_age: float | None
    max_age: float
    silent_for: float | None
    max_silence: float
    under_way: bool
    active_remediation: RemediationId | None
    this_remediation: RemediationId | None
    quarantined: bool
    needs_drained: bool
    drained: bool | None


Gate = Callable[[Case], Finding]


def decide(case: Case, now: float) -> Decision:
    """Ask every gate, in order. None is skipped, so that an explanation is always whole."""
    findings = tuple(gate(case) for gate in GATES)
    return Decision(allowed=all(finding.passed for finding in findings), at=now, findings=findings)


def mode(case: Case) -> Finding:
    """Only a rule in mode `act`, in a cluster in mode `act`, touches a node."""
    if not case.has_remedy:
        return _held("mode", "the rule names no remedy that does anything")
    said = f"the rule says {case.rule_mode.value}, the cluster allows {case.cluster_mode.value}"
    if case.rule_mode.capped(case.cluster_mode) is Mode.ACT:
        return _passed("mode", said)
    return _held("mode", f"would {case.what}, but {said}")


def synthetic(case: Case) -> Finding:
    """An injected fault acts only where somebody asked for a drill."""
    if not case.synthetic:
        return _passed("synthetic", "the evidence is real")
    if case.accept_synthetic:
        return _passed("synthetic", "injected; drills are allowed here")
    return _held("synthetic", "injected; drills are not allowed here (accept_synthetic)")


def owner(case: Case) -> Finding:
    """Someone else's cordon is never overridden, and an unknown owner is someone else."""
    if case.obstacle:
        return _held("owner", f"the scheduler has the node as {case.obstacle}: hands off")
    match case.ownership:
        case Ownership.NONE:
            return _passed("owner", "nobody holds the node")
        case Ownership.OURS:
            return _passed("owner", "the cordon is ours")
        case Ownership.FOREIGN:
            return _held("owner", f"held by someone else: {case.foreign_reason or 'no reason given'}")
        case Ownership.UNKNOWN:
            return _held("owner", f"who holds the node is not known: {case.foreign_reason or 'no answer'}")


def quarantine(case: Case) -> Finding:
    """A node that a ladder could not repair waits for a person, whatever it reports next."""
    if case.quarantined:
        return _held("quarantine", "an earlier remediation left the node to a person")
    return _passed("quarantine", "the node does not wait for a person")


def freshness(case: Case) -> Finding:
    """The fault is still there, on the machine as it runs now, and was seen lately."""
    stale = _stale(case)
    if stale:
        return _held("freshness", stale)
    if case.under_way or case.evidence_age is None:
        return _passed("freshness", "the same boot, and the agent is heard")
    return _passed(
        "freshness",
        f"seen {format_duration(case.evidence_age)} ago, {format_duration(case.max_age)} allowed",
    )


def _stale(case: Case) -> str:
    """Why the evidence no longer counts; empty when it does."""
    too_old = case.evidence_age is None or case.evidence_age > case.max_age
    reasons = (
        (not case.incident_open, "the incident is over"),
        (case.snoozed, "a person took the node back; the incident is snoozed"),
        (case.node_boot is None, "nothing is known of the node's present boot"),
        (case.node_boot != case.fault_boot, "the evidence is of another boot"),
        (case.silent_for is None, "the node's agent has not been heard since the coordinator started"),
        ((case.silent_for or 0.0) > case.max_silence, f"the agent is silent for {_span(case.silent_for)}"),
        (
            not case.under_way and too_old,
            f"the fault was last seen {_span(case.evidence_age)} ago, {_span(case.max_age)} allowed",
        ),
    )
    return next((why for holds, why in reasons if holds), "")


def one_remediation(case: Case) -> Finding:
    """A node has one remediation; a second fault joins it instead of starting another."""
    active = case.active_remediation
    if active is None or active == case.this_remediation:
        return _passed("one-remediation", "no other remediation runs on the node")
    return _held("one-remediation", f"{active} runs on the node")


def drained(case: Case) -> Finding:
    """What would disturb a job waits until the scheduler says that there is none."""
    if not case.needs_drained:
        return _passed("drained", "the action disturbs no job")
    if case.drained is None:
        return _held("drained", "the scheduler could not say whether a job runs")
    if case.drained:
        return _passed("drained", "no job runs on the node")
    return _held("drained", "the node still has work")


def _passed(gate: str, why: str) -> Finding:
    return Finding(gate=gate, passed=True, why=why)


def _held(gate: str, why: str) -> Finding:
    return Finding(gate=gate, passed=False, why=why)


def _span(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else format_duration(seconds)


GATES: tuple[Gate, ...] = (mode, synthetic, owner, quarantine, freshness, one_remediation, drained)
"""The order in which a person reads them: may we at all, whose is it, is it so, is it free."""
