"""The course of a node's remediation in memory: every move with its milestones, its ledger lines, its ends.

The caller commits. What is written here together is stored together.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sickbay.coordinator.diagnosis import COORDINATOR, diagnose
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.store import AttemptRecord, LedgerEntry, Repair, Snooze
from sickbay.core.gates import Decision
from sickbay.core.ids import IncidentId, RemediationId
from sickbay.core.incidents import Incident
from sickbay.core.link_faults import GATE as ROOT_GATE
from sickbay.core.milestones import Mark
from sickbay.core.orchestration import NodeObservation, Ownership
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remediation import Action, ActionKind, Remediation, Step
from sickbay.core.remediation_steps import cancelled, expired, rebased, relieved
from sickbay.host.clock import Clock

_LOG = logging.getLogger(__name__)

_REPAIRS_KEPT = 50

SOMEONE = "someone, through the scheduler"
"""Who acted, in the ledger, when only the scheduler can know who it was."""

_REACHED_ON_LEAVING: dict[Step, Mark] = {
    Step.CORDONING: "t3",
    Step.DRAINING: "t4",
    Step.REPAIRING: "t6",
    Step.VALIDATING: "t7",
    Step.RETURNING: "t8",
}
"""The milestone that a step reaches when it ends well."""

_SUCCESSORS = {
    Step.CORDONING: {Step.DRAINING},
    Step.DRAINING: {Step.EVIDENCE, Step.REPAIRING},
    Step.REPAIRING: {Step.VALIDATING},
    Step.VALIDATING: {Step.RETURNING},
    Step.RETURNING: {Step.DONE},
}
"""Where a step that ended well leads; the machine's other moves reach no milestone."""


@dataclass(slots=True, kw_only=True)
class Course:
    """Moves remediations and keeps what belongs to each move."""

    fleet: Fleet
    policy: Policy
    clock: Clock

    def decided(
        self, state: NodeState, incident: Incident, decision: Decision, *, keep: bool = False
    ) -> None:
        """Keep the gates' answers: always where `keep` says so, else when they differ from the last ones."""
        decision = _explained(decision, self.policy.awaiting.get(incident.rule, ""))
        known = state.incidents.get(incident.id, incident)
        same = known.decision is not None and _answers(known.decision) == _answers(decision)
        if same and not keep:
            return
        state.put_incident(replace(known, decision=decision))
        if not same:
            what = "gates let through" if decision.allowed else "gates held"
            why = decision.why_held or "every gate let it through"
            self._note(state, what, why, incident=incident.id, rule=incident.rule)

    def taken_up(self, state: NodeState, incident: IncidentId, rem: RemediationId) -> None:
        """The incident belongs to that remediation from now on."""
        known = state.incidents[incident]
        if known.remediation != rem:
            state.put_incident(replace(known, remediation=rem, updated_at=self.clock.now().wall))

    def steered(self, state: NodeState, seen: NodeObservation) -> Remediation:
        """The active remediation after a look: taken back by a person, relieved, rebased, or out of time."""
        rem = state.active
        if rem is None:
            raise AssertionError("only an active remediation is steered")
        now = self.clock.now()
        rem = self._taken_back(state, rem, seen, now.wall)
        rem = self._relieved(state, rem, now.wall, now.mono)
        if state.has_full_state and state.boot_id is not None:
            rem = rebased(rem, state.boot_id, now.wall)
        rem = expired(rem, now.wall)
        self.moved(state, rem)
        return rem

    def begun(self, state: NodeState, rem: Remediation) -> None:
        """An effect is about to be tried: the line of the journal without which it must not be."""
        attempt = rem.attempt
        if attempt is None:
            raise AssertionError("an action that was begun has an attempt")
        state.put_remediation(rem)
        state.outbox.attempts.append(_journal(rem, None, rem.updated_at))
        if attempt.kind is ActionKind.CORDON:
            state.put_record(replace(state.record, cordoned_at=rem.updated_at))
        if attempt.kind.is_destructive:
            self._mark(state, rem, "t5", attempt.started_at)
            self._count_repair(state, rem, attempt.started_at)
        self._note(
            state, f"{attempt.kind.value} begun", f"try {attempt.tries} of {attempt.action_id}", rem=rem
        )

    def absorbed(self, state: NodeState, action: Action, outcome: Outcome, after: Remediation) -> None:
        """What came of an action, and where the remediation stands with it."""
        before = state.remediation
        if action.kind in _LOOKS:
            if before is not None and _story(before, outcome) == _story(after, outcome):
                state.remediation = after
                return
        else:
            self._outcome(state, action, outcome, after)
        self.moved(state, after)

    def overtaken(self, state: NodeState, action: Action, outcome: Outcome) -> None:
        """A person ended the remediation while the action was under way: what came of it is history."""
        if state.remediation is not None:
            self._outcome(state, action, outcome, state.remediation)

    def moved(self, state: NodeState, after: Remediation) -> None:
        """The node's remediation is this now."""
        before = (
            state.remediation if state.remediation is not None and state.remediation.id == after.id else None
        )
        if after == before:
            return
        state.put_remediation(after)
        if before is not None and (before.step, before.rung) == (after.step, after.rung):
            return
        detail = after.history[-1].detail if after.history else ""
        self._note(state, f"remediation {after.step.value}", detail, rem=after, before=before)
        _LOG.info("%s: %s is %s: %s", state.name, after.id, after.step.value, detail)
        if before is not None and after.step in _SUCCESSORS.get(before.step, ()):
            self._mark(state, after, _REACHED_ON_LEAVING[before.step], after.step_since)
        if not after.is_active:
            self._ended(state, after)

    def snooze(self, state: NodeState, incidents: Iterable[Incident]) -> None:
        """A person has these in hand: they act no more, and neither does the next one of their family."""
        now = self.clock.now().wall
        incidents = tuple(incidents)
        for incident in incidents:
            state.put_incident(replace(incident, snoozed=True, updated_at=now))
        families = {incident.family for incident in incidents}
        kept = [s for s in state.record.snoozes if s.until > now and s.family not in families]
        added = [Snooze(family=family, until=now + self.policy.snooze) for family in sorted(families)]
        state.put_record(replace(state.record, snoozes=(*kept, *added)))

    def let_go(self, state: NodeState, who: str, why: str) -> None:
        """A person has taken, or given back, a node that waited for one: it waits no more."""
        self.snooze(state, state.open_incidents)
        self._note(state, "quarantine ended", why, rem=state.remediation, who=who)
        state.put_record(replace(state.record, quarantine=None))

    def _taken_back(
        self,
        state: NodeState,
        rem: Remediation,
        seen: NodeObservation,
        now: float,
    ) -> Remediation:
        """A cordon that is not ours any more is a person's word: stop, undo nothing, keep off."""
        if not rem.cordoned or not seen.is_taken_back:
            return rem
        if rem.step is Step.RETURNING and seen.ownership is Ownership.NONE:
            return rem  # our own return, seen before its answer was heard
        why = f"someone took the node back: {seen.reason or seen.state}"
        self.snooze(state, [i for i in self._incidents(state, rem) if i.is_open])
        self._note(state, "taken back", why, rem=rem, who=SOMEONE)
        return cancelled(rem, now, why)

    def _relieved(self, state: NodeState, rem: Remediation, now: float, mono: float) -> Remediation:
        """A fault that has stayed away for a while before its repair needs none."""
        if not state.has_full_state or any(self._asks(state, i) for i in self._incidents(state, rem)):
            state.quiet_since = None
            return rem
        state.quiet_since = mono if state.quiet_since is None else state.quiet_since
        if mono - state.quiet_since < self.policy.relief:
            return rem
        return relieved(rem, now, "the fault went away before any repair")

    def _asks(self, state: NodeState, incident: Incident) -> bool:
        """Whether the incident still asks for a repair; one that is in doubt does."""
        present = any(key in state.conditions for key in incident.conditions)
        return incident.is_open and present and self.policy.remedy(incident.remedy).acts

    def _ended(self, state: NodeState, rem: Remediation) -> None:
        now = self.clock.now().wall
        state.quiet_since = None
        self._repair_ended(state, rem, now)
        for incident in self._incidents(state, rem):
            if rem.step is Step.DONE:
                state.put_incident(incident.repaired(at=now))
            elif rem.step is Step.CANCELLED and _left_no_trace(rem):
                state.put_incident(replace(incident, remediation=None))
        if rem.step is Step.QUARANTINED:
            state.put_record(replace(state.record, quarantine=rem.id))
            _LOG.warning("%s waits for a person: %s", state.name, rem.history[-1].detail)
        diagnose(self.fleet, state, self.policy, now)

    def _incidents(self, state: NodeState, rem: Remediation) -> tuple[Incident, ...]:
        return tuple(state.incidents[ident] for ident in rem.incidents if ident in state.incidents)

    def _mark(self, state: NodeState, rem: Remediation, mark: Mark, at: float) -> None:
        for incident in self._incidents(state, rem):
            reached = incident.milestones.reached(mark, at)
            if reached != incident.milestones:
                state.put_incident(replace(incident, milestones=reached))

    def _count_repair(self, state: NodeState, rem: Remediation, at: float) -> None:
        """One for each remediation, however many rungs it climbs."""
        repairs = state.record.repairs
        if all(repair.remediation != rem.id for repair in repairs):
            families = tuple(sorted({incident.family for incident in self._incidents(state, rem)}))
            repair = Repair(remediation=rem.id, at=at, families=families)
            state.put_record(replace(state.record, repairs=(*repairs, repair)[-_REPAIRS_KEPT:]))

    def _repair_ended(self, state: NodeState, rem: Remediation, at: float) -> None:
        """From here on the next repair of the same family waits for a while."""
        repairs = tuple(
            replace(repair, ended_at=at) if repair.remediation == rem.id else repair
            for repair in state.record.repairs
        )
        state.put_record(replace(state.record, repairs=repairs))

    def _outcome(self, state: NodeState, action: Action, outcome: Outcome, rem: Remediation) -> None:
        state.outbox.attempts.append(_journal(rem, outcome, self.clock.now().wall))
        self._note(state, f"{action.kind.value} {outcome.verdict.value}", outcome.detail, rem=rem)

    def _note(
        self,
        state: NodeState,
        what: str,
        why: str,
        *,
        rem: Remediation | None = None,
        before: Remediation | None = None,
        incident: IncidentId | None = None,
        rule: str = "",
        who: str = COORDINATOR,
    ) -> None:
        leading = incident or (rem.incidents[0] if rem is not None else None)
        known = None if leading is None else state.incidents.get(leading)
        entry = LedgerEntry(
            at=self.clock.now().wall,
            who=who,
            what=what,
            node=state.name,
            why=why,
            incident=leading or "",
            remediation="" if rem is None else rem.id,
            rule=rule or (known.rule if known is not None else ""),
            before="" if before is None else before.step.value,
            after="" if rem is None else rem.step.value,
        )
        self.fleet.note(state, entry)


_LOOKS = frozenset({ActionKind.AWAIT_DRAIN, ActionKind.AWAIT_REPAIR, ActionKind.VALIDATE})


def _left_no_trace(rem: Remediation) -> bool:
    """Whether its incidents may be taken up again: nothing was done, and nothing was refused for good."""
    last = None if rem.attempt is None else rem.attempt.last
    return not rem.cordoned and (last is None or last.verdict is not Verdict.FAILED)


def _explained(decision: Decision, awaiting: str) -> Decision:
    """The decision, with the reason why a rule that would act was taken as one that observes."""
    if not awaiting:
        return decision
    findings = (
        replace(finding, why=f"{awaiting}; {finding.why}") if finding.gate == "mode" else finding
        for finding in decision.findings
    )
    return replace(decision, findings=tuple(findings))


def _answers(decision: Decision) -> tuple[tuple[str, bool, str], ...]:
    """What the gates said, without the ages in their words; which fault explains this one is news."""
    return tuple((f.gate, f.passed, f.why if f.gate == ROOT_GATE else "") for f in decision.findings)


def _story(rem: Remediation, outcome: Outcome) -> Remediation:
    """The remediation without what every look changes."""
    attempt = None if rem.attempt is None else replace(rem.attempt, tries=0, last=outcome)
    return replace(rem, attempt=attempt, updated_at=0.0, next_try_at=0.0)


def _journal(rem: Remediation, outcome: Outcome | None, at: float) -> AttemptRecord:
    attempt = rem.attempt
    if attempt is None:
        raise AssertionError("only an action that was begun is journalled")
    return AttemptRecord(
        action_id=attempt.action_id,
        remediation=rem.id,
        node=rem.node,
        kind=attempt.kind,
        at=at,
        tries=attempt.tries,
        outcome=outcome,
    )
