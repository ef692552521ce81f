"""What the demonstration tells: one line for each step of a fault's way, read off the coordinator's values.

Pure: values in, steps out. The times are the coordinator's own milestones, not the demonstration's watch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sickbay.core.incidents import Incident
from sickbay.core.milestones import Mark
from sickbay.core.remediation import Remediation, Step, StepRecord

_MARKED: tuple[tuple[str, Mark], ...] = (
    ("detected", "t1"),
    ("incident", "t2"),
    ("cordoned", "t3"),
    ("drained", "t4"),
    ("rebooting", "t5"),
    ("rebooted", "t6"),
    ("validated", "t7"),
    ("returned", "t8"),
)

ENDS = {Step.DONE: "returned", Step.QUARANTINED: "quarantined", Step.CANCELLED: "cancelled"}
"""The outcome's word for each end of a remediation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One step: its name, when it was reached (Unix seconds), and what a person reads beside it."""

    step: str
    at: float
    detail: str


def steps_so_far(incident: Incident, remediation: Remediation | None) -> tuple[Told, ...]:
    """Every step that the two values show as reached, in the order of time."""
    reached = [*_milestones(incident, remediation), *_gates(incident), *_evidence(remediation)]
    order = ["detected", "incident", "gate", "cordoned", "drained", "evidence", "rebooting", "rebooted"]
    rank = {name: place for place, name in enumerate([*order, "validated", "returned"])}
    return tuple(sorted(reached, key=lambda told: (rank[told.step.partition(":")[0]], told.at)))


def _milestones(incident: Incident, remediation: Remediation | None) -> Iterator[Told]:
    for step, mark in _MARKED:
        at = getattr(incident.milestones, mark)
        if at is not None:
            yield Told(step=step, at=at, detail=_detail(step, incident, remediation))


def _gates(incident: Incident) -> Iterator[Told]:
    """The gates' answers to the cordon; what they say before later repairs is in `sickbay explain`."""
    decision, limit = incident.decision, incident.milestones.t3
    if decision is None or (limit is not None and decision.at > limit):
        return
    for finding in decision.findings:
        said = "passed" if finding.passed else "held"
        yield Told(step=f"gate:{finding.gate}", at=decision.at, detail=f"{said}: {finding.why}")


def _evidence(remediation: Remediation | None) -> Iterator[Told]:
    if remediation is None:
        return
    for before, record in pairwise(remediation.history):
        if before.step is Step.EVIDENCE and record.step is Step.REPAIRING:
            yield Told(step="evidence", at=record.at, detail=record.detail)


_WORDS: dict[str, tuple[Step | None, str]] = {
    "cordoned": (Step.CORDONING, "the node takes no new jobs"),
    "drained": (Step.DRAINING, "no job is left"),
    "rebooting": (None, "the agent was given leave to reboot, once, for this boot"),
    "rebooted": (Step.REPAIRING, "the agent is back on a new boot"),
    "validated": (Step.VALIDATING, "the node has shown that it is well"),
    "returned": (Step.RETURNING, "the node takes jobs again"),
}
"""step -> (the remediation's step whose last words tell of it, what to say where it has none)."""


def _detail(step: str, incident: Incident, remediation: Remediation | None) -> str:
    if step == "detected":
        return f"{incident.reason} on {incident.subject.key}: {incident.message}"
    if step == "incident":
        return f"{incident.id}: {incident.severity.value}, rule {incident.rule}, remedy {incident.remedy}"
    left, otherwise = _WORDS[step]
    history = remediation.history if remediation is not None else ()
    return (_after(history, left) if left is not None else "") or otherwise


def _after(history: Sequence[StepRecord], step: Step) -> str:
    """The words with which the remediation left a step, the last time it did; empty if it has not."""
    left = [
        record.detail
        for before, record in pairwise(history)
        if before.step is step and record.step is not step
    ]
    return left[-1] if left else ""
