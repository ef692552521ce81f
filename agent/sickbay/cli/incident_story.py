"""One incident told to a person: what it rests on, what was decided, what is done, what comes next."""

from collections.abc import Iterator

import click

from sickbay.cli.events import kind_of, said_by
from sickbay.cli.incidents import state_of
from sickbay.cli.output import painted, when
from sickbay.core.gates import Decision
from sickbay.core.incidents import Incident
from sickbay.core.instants import format_duration
from sickbay.core.milestones import MARKS, MEANING, Milestones
from sickbay.core.remediation import Remediation, Step
from sickbay.core.views import IncidentDetail

_EVENTS_SHOWN = 12

_FOLLOWS = {
    Step.CORDONING: "the scheduler takes the node out of service",
    Step.DRAINING: "the node's jobs end by themselves",
    Step.EVIDENCE: "evidence is kept",
    Step.REPAIRING: "the repair ({repair}) is done and seen",
    Step.VALIDATING: "the node shows itself healthy for the whole soak",
    Step.RETURNING: "the scheduler takes the node back",
    Step.DONE: "nothing: it is over",
    Step.QUARANTINED: "a person: repair the node by the runbook, then `sickbay return {node}`",
    Step.CANCELLED: "nothing: it was cancelled, and a new one begins only if the gates let it",
}


def tell(detail: IncidentDetail, now: float) -> None:
    """The whole story on standard output; `now` in Unix seconds."""
    for line in _story(detail, now):
        click.echo(line)


def next_of(detail: IncidentDetail) -> str:
    """What happens next and until when, in one sentence."""
    incident, rem = detail.incident, detail.remediation
    if not incident.is_open:
        return "nothing: it is closed"
    if incident.snoozed:
        return "nothing: a person has taken faults of this kind on the node into their own hands"
    if rem is None or rem.step is Step.PROPOSED:
        return _before_work(incident)
    follows = _FOLLOWS[rem.step].format(repair=rem.rung_kind.value, node=rem.node)
    return follows if rem.step.is_end else f"{follows}; at the latest at {when(rem.step_deadline)}"


def _before_work(incident: Incident) -> str:
    if not incident.remedy or incident.remedy == "none":
        return "nothing: its rule only shows it"
    decision = incident.decision
    if decision is None:
        return "the gates are asked"
    if decision.allowed:
        return "every gate lets it through: the node is cordoned"
    return f"it waits until the gates let it through: {decision.why_held}"


def _story(detail: IncidentDetail, now: float) -> Iterator[str]:
    incident = detail.incident
    severity = painted(incident.severity.value)
    yield f"{incident.id}: {severity} {incident.reason} on {incident.node} {incident.subject.key}"
    yield f"  {incident.message}"
    if incident.synthetic:
        yield "  synthetic: an injected fault, not a real one"
    lasted = format_duration((incident.closed_at or now) - incident.opened_at)
    yield f"  {state_of(incident)}; opened {when(incident.opened_at)}, lasting {lasted}"
    yield f"  rule: {incident.rule} (mode {incident.mode.value}), remedy: {incident.remedy or 'none'}"
    yield from _evidence(detail)
    yield ""
    yield from gates_told(incident.decision)
    if detail.remediation is not None:
        yield from _remediation(detail.remediation)
    yield from ("", f"Next: {next_of(detail)}")
    yield from _milestones(incident.milestones)
    yield from _runbooks(detail)


def _evidence(detail: IncidentDetail) -> Iterator[str]:
    yield from ("", "It rests on")
    held = {c.key: c for c in detail.conditions}
    for key in detail.incident.conditions:
        c = held.get(key)
        if c is None:
            yield f"  {key} (not held any more)"
            continue
        state = f"({c.status.value}) since {when(c.since)}"
        yield f"  {c.type} {c.reason} on {c.subject.key} {state}: {c.message}"
        if c.clears:
            yield f"    clears: {c.clears}"
    for event in detail.events[-_EVENTS_SHOWN:]:
        yield f"  {when(event.at)}  {kind_of(event)}: {said_by(event)}"


def gates_told(decision: Decision | None) -> Iterator[str]:
    """When the gates were asked, and what each of them said."""
    if decision is None:
        yield "Gates: not asked yet"
        return
    yield f"Gates, asked at {when(decision.at)}: {'all let through' if decision.allowed else 'held'}"
    for finding in decision.findings:
        yield f"  {'pass' if finding.passed else 'HOLD'}  {finding.gate}: {finding.why}"


def _remediation(rem: Remediation) -> Iterator[str]:
    yield from (
        "",
        f"Remediation {rem.id}: {rem.remedy.id}, {painted(rem.step.value)} since {when(rem.step_since)}",
    )
    ladder = [f"[{r.kind.value}]" if n == rem.rung else r.kind.value for n, r in enumerate(rem.remedy.ladder)]
    yield f"  ladder: {' > '.join(ladder) or 'empty'}"
    if rem.attempt is not None:
        last = rem.attempt.last
        said = "no outcome yet" if last is None else f"{last.verdict.value}: {last.detail}"
        yield f"  last attempt: {rem.attempt.kind.value}, try {rem.attempt.tries}, {said}"
    for record in rem.history:
        yield f"  {when(record.at)}  {record.step.value}: {record.detail}"


def _milestones(reached: Milestones) -> Iterator[str]:
    """T0 to T8, each with the time since the one before that was reached."""
    yield from ("", "Milestones")
    before: float | None = None
    for mark in MARKS:
        at: float | None = getattr(reached, mark)
        since = f"+{format_duration(at - before)}" if at is not None and before is not None else ""
        yield f"  {mark.upper()}  {when(at):<20}  {since:>8}  {MEANING[mark]}"
        before = before if at is None else at


def _runbooks(detail: IncidentDetail) -> Iterator[str]:
    pages = sorted({c.runbook for c in detail.conditions if c.runbook})
    if pages:
        yield from ("", *(f"Runbook: docs/runbooks/{page}.md" for page in pages))
