"""Gates: may this be done to a node? Each answers, and each answer is kept, whether it let through or held.

Gates bind what can harm: cordon, drain, repair. Clearing an incident and giving a node back never pass here.
A fact that is not known holds: the safe side of every gate is shut.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sickbay.core.approvals import Consent, approval_gate
from sickbay.core.attempts import Attempted, attempts_gate
from sickbay.core.budgets import Claim, budget_gate
from sickbay.core.conditions import Mode
from sickbay.core.decisions import Decision, Finding, held_back, let_through
from sickbay.core.freshness import Sight, freshness_gate
from sickbay.core.ids import RemediationId
from sickbay.core.link_faults import Explained, root_gate
from sickbay.core.orchestration import Ownership
from sickbay.core.orders import Standing, maintenance_gate, pause_gate, storm_gate

__all__ = ["GATES", "Case", "Decision", "Finding", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Every fact that the gates look at. None is *not known*.

    `what` names the action for people (`cordon gpu-07`). `sight` is what is known of the fault itself,
    `standing` what people and storms hold, `attempted` what was tried before, `claim` what it would take from
    budgets, `consent` a person's word on it. `obstacle` names a state in which only the node's owner should
    touch it. `drained` matters only to an action that `needs_drained`. `explained` says which other fault
    explains this one, None when it stands by itself.
    """

    what: str
    rule_mode: Mode
    cluster_mode: Mode
    has_remedy: bool
    synthetic: bool
    accept_synthetic: bool
    standing: Standing
    ownership: Ownership
    foreign_reason: str
    obstacle: str
    quarantined: bool
    sight: Sight
    active_remediation: RemediationId | None
    this_remediation: RemediationId | None
    attempted: Attempted
    claim: Claim
    consent: Consent
    needs_drained: bool
    drained: bool | None
    explained: Explained | None = None


Gate = Callable[[Case], Finding]


def decide(case: Case, now: float) -> Decision:
    """Ask every gate, in order. None is skipped, so that an explanation is always whole."""
    findings = tuple(gate(case) for gate in GATES)
    return Decision(allowed=all(finding.passed for finding in findings), at=now, findings=findings)


def mode(case: Case) -> Finding:
    """A rule that observes, or a cluster that does, touches nothing; what is proposed is for approval."""
    if not case.has_remedy:
        return held_back("mode", "the rule names no remedy that does anything")
    said = f"the rule says {case.rule_mode.value}, the cluster allows {case.cluster_mode.value}"
    if case.rule_mode.capped(case.cluster_mode) is Mode.OBSERVE:
        return held_back("mode", f"would {case.what}, but {said}")
    return let_through("mode", said)


def synthetic(case: Case) -> Finding:
    """An injected fault acts only where somebody asked for a drill."""
    if not case.synthetic:
        return let_through("synthetic", "the evidence is real")
    if case.accept_synthetic:
        return let_through("synthetic", "injected; drills are allowed here")
    return held_back("synthetic", "injected; drills are not allowed here (accept_synthetic)")


def owner(case: Case) -> Finding:
    """Someone else's cordon is never overridden, and an unknown owner is someone else."""
    if case.obstacle:
        return held_back("owner", f"the scheduler has the node as {case.obstacle}: hands off")
    match case.ownership:
        case Ownership.NONE:
            return let_through("owner", "nobody holds the node")
        case Ownership.OURS:
            return let_through("owner", "the cordon is ours")
        case Ownership.FOREIGN:
            return held_back("owner", f"held by someone else: {case.foreign_reason or 'no reason given'}")
        case Ownership.UNKNOWN:
            why = case.foreign_reason or "no answer"
            return held_back("owner", f"who holds the node is not known: {why}")


def quarantine(case: Case) -> Finding:
    """A node that a ladder could not repair waits for a person, whatever it reports next."""
    if case.quarantined:
        return held_back("quarantine", "an earlier remediation left the node to a person")
    return let_through("quarantine", "the node does not wait for a person")


def one_remediation(case: Case) -> Finding:
    """A node has one remediation; a second fault joins it instead of starting another."""
    active = case.active_remediation
    if active is None or active == case.this_remediation:
        return let_through("one-remediation", "no other remediation runs on the node")
    return held_back("one-remediation", f"{active} runs on the node")


def drained(case: Case) -> Finding:
    """What would disturb a job waits until the scheduler says that there is none."""
    if not case.needs_drained:
        return let_through("drained", "the action disturbs no job")
    if case.drained is None:
        return held_back("drained", "the scheduler could not say whether a job runs")
    if case.drained:
        return let_through("drained", "no job runs on the node")
    return held_back("drained", "the node still has work")


GATES: tuple[Gate, ...] = (
    mode,
    synthetic,
    lambda case: pause_gate(case.standing),
    lambda case: maintenance_gate(case.standing),
    owner,
    quarantine,
    lambda case: freshness_gate(case.sight, case.standing),
    lambda case: root_gate(case.explained, under_way=case.sight.under_way),
    one_remediation,
    lambda case: attempts_gate(case.attempted, under_way=case.sight.under_way),
    lambda case: budget_gate(case.claim),
    lambda case: storm_gate(case.standing),
    lambda case: approval_gate(case.what, case.consent),
    drained,
)
"""In the order in which a person reads them: may we, whose is it, is it so, was it tried, is there room."""
