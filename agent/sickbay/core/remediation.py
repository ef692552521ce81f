"""Remediation: a node's way back, as a small machine.

The caller asks `due` for the next action, journals `begun`, performs the effect, and gives the outcome to
`absorbed`. Between any two of these the process may die: the journal holds the attempt, the effect is
idempotent under its action id, and `interrupted` turns an attempt without an outcome into *unknown*, which is
asked again under the same id and is never taken for success.

Invariants, checked by the property tests:
* a repair is due only after the node was seen drained since the last time it could have taken work;
* the node is given back only after a validation that held for the whole soak;
* unknown moves nothing forward; only time turns it into a person's case;
* every remediation ends: each step has a deadline, and the ladder has an end.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import Enum
from typing import assert_never

from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName, RemediationId
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remedies import Remedy, RungKind

_HISTORY = 200
"""Records kept on the remediation itself; the ledger has them all."""


class Step(Enum):
    """Where a remediation stands."""

    PROPOSED = "proposed"
    CORDONING = "cordoning"
    DRAINING = "draining"
    EVIDENCE = "evidence"
    REPAIRING = "repairing"
    VALIDATING = "validating"
    RETURNING = "returning"
    DONE = "done"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return self in {Step.DONE, Step.QUARANTINED, Step.CANCELLED}

    @property
    def before_repair(self) -> bool:
        """Whether nothing was done to the node yet beyond taking it out of service."""
        return self in {Step.PROPOSED, Step.CORDONING, Step.DRAINING, Step.EVIDENCE}


class ActionKind(Enum):
    """What the caller can be asked to do. Those named `await` only look."""

    CORDON = "cordon"
    AWAIT_DRAIN = "await_drain"
    COLLECT_EVIDENCE = "collect_evidence"
    RESTART_SERVICE = "restart_service"
    RESET_GPU = "reset_gpu"
    REBOOT = "reboot"
    POWER_CYCLE = "power_cycle"
    AWAIT_REPAIR = "await_repair"
    VALIDATE = "validate"
    RETURN = "return"


DESTRUCTIVE = frozenset(
    {ActionKind.RESTART_SERVICE, ActionKind.RESET_GPU, ActionKind.REBOOT, ActionKind.POWER_CYCLE},
)

_REPAIR = {
    RungKind.RESTART_SERVICE: ActionKind.RESTART_SERVICE,
    RungKind.RESET_GPU: ActionKind.RESET_GPU,
    RungKind.REBOOT: ActionKind.REBOOT,
    RungKind.POWER_CYCLE: ActionKind.POWER_CYCLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds that each step may take before a person is asked; draining has its own, in the remedy."""

    cordon: float = 60.0
    evidence: float = 30.0
    issue: float = 120.0
    repair: float = 900.0
    validate: float = 600.0
    giving_back: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An action that was journalled. `last` is None from the journal until an outcome came."""

    action_id: ActionId
    kind: ActionKind
    started_at: float
    tries: int = 1
    last: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One line of the remediation's story."""

    step: Step
    at: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One effect to perform. The same `id` means the same effect, however often it is asked for."""

    id: ActionId
    kind: ActionKind
    node: NodeName
    boot_before: BootId


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """The whole state. Times are Unix seconds; `boot_before` is the boot that the fault was seen on."""

    id: RemediationId
    node: NodeName
    incidents: tuple[IncidentId, ...]
    remedy: Remedy
    deadlines: Deadlines
    step: Step
    boot_before: BootId
    opened_at: float
    updated_at: float
    step_since: float
    rung: int = 0
    issued: bool = False
    cordoned: bool = False
    clean_since: float | None = None
    next_try_at: float = 0.0
    attempt: Attempt | None = None
    history: tuple[StepRecord, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it still has a way to go."""
        return not self.step.is_end

    @property
    def step_deadline(self) -> float:
        """When the present step runs out, in Unix seconds."""
        return self.step_since + _allowed(self)

    @property
    def rung_kind(self) -> RungKind:
        """The repair that the ladder has reached; QUARANTINE past its end."""
        ladder = self.remedy.ladder
        return ladder[self.rung] if self.rung < len(ladder) else RungKind.QUARANTINE


def proposed(
    *,
    node: NodeName,
    incident: IncidentId,
    boot: BootId,
    remedy: Remedy,
    deadlines: Deadlines,
    now: float,
) -> Remediation:
    """A new remediation for one incident. Its id follows from the incident, so it cannot be opened twice."""
    digest = hashlib.sha256(f"{node}|{incident}".encode()).hexdigest()
    return Remediation(
        id=RemediationId(f"rem-{digest[:12]}"),
        node=node,
        incidents=(incident,),
        remedy=remedy,
        deadlines=deadlines,
        step=Step.PROPOSED,
        boot_before=boot,
        opened_at=now,
        updated_at=now,
        step_since=now,
        history=(StepRecord(step=Step.PROPOSED, at=now, detail=f"{remedy.id} for {incident}"),),
    )


def due(rem: Remediation, now: float) -> Action | None:
    """The action to perform now, or None when there is none or it is not yet time to ask again."""
    if rem.step.is_end or rem.step is Step.PROPOSED or now < rem.next_try_at:
        return None
    kind = _kind_due(rem)
    return Action(id=_action_id(rem, kind), kind=kind, node=rem.node, boot_before=rem.boot_before)


def begun(rem: Remediation, action: Action, now: float) -> Remediation:
    """The state to journal before the effect: from here on, the effect may have happened."""
    same = rem.attempt is not None and rem.attempt.action_id == action.id
    tries = rem.attempt.tries + 1 if same and rem.attempt is not None else 1
    started = rem.attempt.started_at if same and rem.attempt is not None else now
    attempt = Attempt(action_id=action.id, kind=action.kind, started_at=started, tries=tries)
    return replace(rem, attempt=attempt, updated_at=now)


def interrupted(rem: Remediation, now: float) -> Remediation:
    """After a restart: an attempt without an outcome may or may not have happened."""
    if rem.attempt is None or rem.attempt.last is not None:
        return rem
    return absorbed(rem, Outcome.unknown("the coordinator stopped before it heard the outcome"), now)


def approved(rem: Remediation, now: float) -> Remediation:
    """The gates let it through: begin."""
    return _to(rem, Step.CORDONING, now, "all gates let it through") if rem.step is Step.PROPOSED else rem


def absorbed(rem: Remediation, outcome: Outcome, now: float, *, poll: float = 1.0) -> Remediation:
    """The state after an outcome. `poll` is the wait, in seconds, before the same thing is asked again."""
    if rem.step.is_end or rem.attempt is None:
        return rem
    rem = replace(rem, attempt=replace(rem.attempt, last=outcome), updated_at=now)
    match outcome.verdict:
        case Verdict.DONE:
            return _done(rem, outcome, now, poll)
        case Verdict.RETRY:
            return replace(rem, next_try_at=now + poll, clean_since=None)
        case Verdict.UNKNOWN:
            # Backing off keeps a scheduler that is down from being asked every second by every node.
            wait = min(poll * 2 ** min(rem.attempt.tries if rem.attempt else 1, 5), 30.0)
            return replace(rem, next_try_at=now + wait, clean_since=None)
        case Verdict.FAILED:
            return _failed(rem, outcome, now)
        case _:
            assert_never(outcome.verdict)


def expired(rem: Remediation, now: float) -> Remediation:
    """The state once the present step's deadline has passed; the same state before that."""
    if rem.step.is_end or now <= rem.step_deadline:
        return rem
    last = (
        rem.attempt.last.detail if rem.attempt is not None and rem.attempt.last is not None else "no answer"
    )
    detail = f"out of time while {rem.step.value}: {last}"
    match rem.step:
        case Step.EVIDENCE:
            return _to(rem, Step.REPAIRING, now, f"went on without all evidence ({last})")
        case Step.REPAIRING | Step.VALIDATING:
            return _climb(rem, now, detail)
        case _:
            return _to(rem, Step.QUARANTINED, now, detail)


def merged(rem: Remediation, incident: IncidentId, remedy: Remedy, now: float) -> Remediation:
    """With another incident of the same node aboard; the remedy that goes further wins while that helps."""
    if incident in rem.incidents or rem.step.is_end:
        return rem
    stronger = remedy.strength > rem.remedy.strength
    note = StepRecord(step=rem.step, at=now, detail=f"{incident} rides along")
    rem = replace(
        rem,
        incidents=(*rem.incidents, incident),
        updated_at=now,
        history=(*rem.history, note)[-_HISTORY:],
    )
    if stronger and rem.step.before_repair:
        return replace(rem, remedy=remedy, rung=0)
    return rem


def relieved(rem: Remediation, now: float, why: str) -> Remediation:
    """The fault went away before any repair: nothing is repaired, but the node still proves itself."""
    if not rem.step.before_repair:
        return rem
    if not rem.cordoned:
        return cancelled(rem, now, why)
    return _to(rem, Step.VALIDATING, now, why)


def cancelled(rem: Remediation, now: float, why: str) -> Remediation:
    """A person took the node back, or nothing had been done yet: stop, and undo nothing."""
    return rem if rem.step.is_end else _to(rem, Step.CANCELLED, now, why)


def _kind_due(rem: Remediation) -> ActionKind:
    match rem.step:
        case Step.CORDONING:
            return ActionKind.CORDON
        case Step.DRAINING:
            return ActionKind.AWAIT_DRAIN
        case Step.EVIDENCE:
            return ActionKind.COLLECT_EVIDENCE
        case Step.REPAIRING:
            return ActionKind.AWAIT_REPAIR if rem.issued else _REPAIR[rem.rung_kind]
        case Step.VALIDATING:
            return ActionKind.VALIDATE
        case _:
            return ActionKind.RETURN


def _action_id(rem: Remediation, kind: ActionKind) -> ActionId:
    return ActionId(f"{rem.id}/{rem.rung}/{kind.value}")


def _allowed(rem: Remediation) -> float:
    match rem.step:
        case Step.CORDONING:
            return rem.deadlines.cordon
        case Step.DRAINING:
            return rem.remedy.drain.timeout
        case Step.EVIDENCE:
            return rem.deadlines.evidence
        case Step.REPAIRING:
            return rem.deadlines.repair if rem.issued else rem.deadlines.issue
        case Step.VALIDATING:
            return rem.deadlines.validate + rem.remedy.soak
        case Step.RETURNING:
            return rem.deadlines.giving_back
        case _:
            return float("inf")


def _done(rem: Remediation, outcome: Outcome, now: float, poll: float) -> Remediation:
    match rem.step:
        case Step.CORDONING:
            return _to(replace(rem, cordoned=True), Step.DRAINING, now, outcome.detail or "cordoned")
        case Step.DRAINING:
            return _drained(rem, outcome, now)
        case Step.EVIDENCE:
            return _to(rem, Step.REPAIRING, now, outcome.detail or "evidence kept")
        case Step.REPAIRING if not rem.issued:
            note = StepRecord(step=rem.step, at=now, detail=outcome.detail or f"{rem.rung_kind.value} begun")
            return replace(
                rem,
                issued=True,
                step_since=now,
                next_try_at=now,
                history=(*rem.history, note)[-_HISTORY:],
            )
        case Step.REPAIRING:
            return _to(rem, Step.VALIDATING, now, outcome.detail or "repair seen")
        case Step.VALIDATING:
            return _validated(rem, outcome, now, poll)
        case _:
            return _to(rem, Step.DONE, now, outcome.detail or "back in service")


def _drained(rem: Remediation, outcome: Outcome, now: float) -> Remediation:
    if rem.rung_kind is RungKind.QUARANTINE:
        return _to(rem, Step.QUARANTINED, now, "drained; the remedy asks for a person")
    following = Step.EVIDENCE if rem.rung == 0 else Step.REPAIRING
    return _to(rem, following, now, outcome.detail or "drained")


def _validated(rem: Remediation, outcome: Outcome, now: float, poll: float) -> Remediation:
    since = now if rem.clean_since is None else rem.clean_since
    if now - since >= rem.remedy.soak:
        return _to(rem, Step.RETURNING, now, outcome.detail or "validated")
    return replace(rem, clean_since=since, next_try_at=now + min(poll, since + rem.remedy.soak - now))


def _failed(rem: Remediation, outcome: Outcome, now: float) -> Remediation:
    match rem.step:
        case Step.CORDONING:
            return cancelled(rem, now, f"could not cordon: {outcome.detail}")
        case Step.EVIDENCE:
            return _to(rem, Step.REPAIRING, now, f"went on without all evidence ({outcome.detail})")
        case Step.REPAIRING | Step.VALIDATING:
            return _climb(rem, now, f"{rem.step.value} failed: {outcome.detail}")
        case _:
            return _to(rem, Step.QUARANTINED, now, f"{rem.step.value} failed: {outcome.detail}")


def _climb(rem: Remediation, now: float, why: str) -> Remediation:
    """The next rung, if there is one; and first the proof again that nothing runs on the node."""
    higher = replace(rem, rung=rem.rung + 1)
    if higher.rung_kind is RungKind.QUARANTINE:
        return _to(higher, Step.QUARANTINED, now, why)
    return _to(higher, Step.DRAINING, now, f"{why}; next: {higher.rung_kind.value}")


def _to(rem: Remediation, step: Step, now: float, detail: str) -> Remediation:
    record = StepRecord(step=step, at=now, detail=detail)
    return replace(
        rem,
        step=step,
        step_since=now,
        updated_at=now,
        next_try_at=now,
        issued=False,
        clean_since=None,
        history=(*rem.history, record)[-_HISTORY:],
    )
