"""How a remediation moves: a small machine, written once, that only outcomes and time move.

The caller asks `due` for the next action, journals `begun`, performs the effect, and gives the outcome to
`absorbed`. Between any two of these the process may die: the journal holds the attempt, the effect is
idempotent under its action id, and `interrupted` turns an attempt without an outcome into *unknown*, which is
asked again under the same id and is never taken for success.

Invariants, checked by the property tests:
* a repair is due only after the node was seen drained since the last time it could have taken work (a
  service's restart that disturbs no job excepted);
* the node is given back only after a validation that held for the whole soak;
* unknown moves nothing forward, evidence excepted, which is kept where it can be; only time turns it into a
  person's case;
* every remediation that was approved ends, or is a proposal again because its cordon was never seen: each
  step has a deadline, and the ladder has an end.
"""

from dataclasses import replace
from typing import assert_never

from sickbay.core.ids import BootId, IncidentId
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remediation import Action, ActionKind, Attempt, Remediation, Step, StepRecord
from sickbay.core.remedies import Remedy, RungKind

_HISTORY = 200
"""Records kept on the remediation itself; the ledger has them all."""

_LONGEST_PAUSE = 30.0
"""Seconds between two questions to someone who does not answer."""


def approved(rem: Remediation, now: float) -> Remediation:
    """The gates let it through: begin."""
    return _to(rem, Step.CORDONING, now, "all gates let it through") if rem.step is Step.PROPOSED else rem


def begun(rem: Remediation, action: Action, now: float) -> Remediation:
    """The state to journal before the effect: from here on, the effect may have happened."""
    earlier = rem.attempt if rem.attempt is not None and rem.attempt.action_id == action.id else None
    attempt = Attempt(
        action_id=action.id,
        kind=action.kind,
        started_at=now if earlier is None else earlier.started_at,
        tries=1 if earlier is None else earlier.tries + 1,
    )
    if action.kind.is_destructive and not rem.repair_begun:
        return replace(rem, attempt=attempt, tried=rem.rung, step_since=now, updated_at=now)
    return replace(rem, attempt=attempt, updated_at=now)


def interrupted(rem: Remediation, now: float) -> Remediation:
    """After the coordinator was away: what was under way may have happened; look before judging."""
    if rem.step.is_end:
        return rem
    rem = replace(rem, resumed_at=now)
    if rem.attempt is None or rem.attempt.last is not None:
        return rem
    unheard = Outcome.unknown("the coordinator stopped before it heard the outcome")
    return replace(absorbed(rem, unheard, now), next_try_at=now)


def absorbed(rem: Remediation, outcome: Outcome, now: float, *, poll: float = 1.0) -> Remediation:
    """The state after an outcome. `poll` is the wait, in seconds, before the same thing is asked again."""
    if rem.step.is_end or rem.attempt is None:
        return rem
    tries = rem.attempt.tries
    rem = replace(rem, attempt=replace(rem.attempt, last=outcome), updated_at=now)
    match outcome.verdict:
        case Verdict.DONE:
            return _done(rem, outcome, now, poll)
        case Verdict.RETRY:
            return replace(rem, next_try_at=now + poll, clean_since=None)
        case Verdict.UNKNOWN:
            # Backing off keeps a scheduler that is down from being asked every second by every node.
            pause = min(poll * 2.0 ** min(tries, 5), _LONGEST_PAUSE)
            return replace(rem, next_try_at=now + pause, clean_since=None)
        case Verdict.FAILED:
            return _failed(rem, outcome, now)
        case _:
            assert_never(outcome.verdict)


def held(rem: Remediation, now: float, why: str, *, poll: float = 1.0) -> Remediation:
    """The gates held back what was due: nothing is done, and time goes on."""
    if rem.step is Step.CORDONING:
        return _to(rem, Step.PROPOSED, now, f"held: {why}")
    return replace(rem, next_try_at=now + poll) if rem.is_active else rem


def patient(rem: Remediation, now: float, *, poll: float) -> Remediation:
    """The gates held it back at a person's word, or for want of one: it waits, and its time does not run."""
    return replace(rem, resumed_at=now, next_try_at=now + poll) if rem.is_active else rem


def left_to_person(rem: Remediation, now: float, why: str) -> Remediation:
    """A person said no to what would come next: the node stays as it is, and theirs."""
    return rem if rem.step.is_end else _to(rem, Step.QUARANTINED, now, why)


def expired(rem: Remediation, now: float) -> Remediation:
    """The state once the present step's deadline has passed; the same state before that."""
    if rem.step.is_end or now <= rem.step_deadline:
        return rem
    last = rem.attempt.last.detail if rem.attempt is not None and rem.attempt.last is not None else ""
    detail = f"out of time while {rem.step.value}: {last or 'no answer'}"
    if rem.step is Step.CORDONING:
        return _to(rem, Step.PROPOSED, now, detail)
    if rem.step is Step.EVIDENCE:
        return _to(rem, Step.REPAIRING, now, f"went on without all evidence ({last or 'no answer'})")
    if rem.step is Step.VALIDATING or (rem.step is Step.REPAIRING and rem.issued):
        return _climb(rem, now, detail)
    return _to(rem, Step.QUARANTINED, now, detail)


def merged(rem: Remediation, incident: IncidentId, remedy: Remedy, now: float) -> Remediation:
    """With another incident aboard; the remedy that goes further wins while nothing was tried."""
    if incident in rem.incidents or rem.step.is_end:
        return rem
    rem = _noted(replace(rem, incidents=(*rem.incidents, incident)), now, f"{incident} rides along")
    if rem.tried < 0 and remedy.strength > rem.remedy.strength:
        rem = replace(rem, remedy=remedy, rung=0)
        why = f"{remedy.id} goes further and takes over"
        # The milder remedy may not have asked for the node to be empty.
        is_past_drain = rem.step in {Step.EVIDENCE, Step.REPAIRING}
        return _to(rem, Step.DRAINING, now, why) if is_past_drain else _noted(rem, now, why)
    return rem


def relieved(rem: Remediation, now: float, why: str) -> Remediation:
    """The fault went away before any repair: nothing is repaired, but the node still proves itself.

    Only once: a fault that comes and goes is repaired the second time.
    """
    if rem.tried >= 0 or rem.relieved or not rem.step.before_repair:
        return rem
    if rem.step is Step.PROPOSED and rem.attempt is None:
        return cancelled(rem, now, why)
    if not rem.cordoned:
        return rem
    return _to(replace(rem, relieved=True), Step.VALIDATING, now, why)


def rebased(rem: Remediation, boot: BootId, now: float) -> Remediation:
    """The next repair is needed on `boot`: the node came up anew before it was begun."""
    if not rem.step.before_repair or rem.boot_before == boot:
        return rem
    return _noted(replace(rem, boot_before=boot), now, f"the node now runs boot {boot}")


def cancelled(rem: Remediation, now: float, why: str) -> Remediation:
    """A person took the node back, or nothing had been done yet: stop, and undo nothing."""
    return rem if rem.step.is_end else _to(rem, Step.CANCELLED, now, why)


def _done(rem: Remediation, outcome: Outcome, now: float, poll: float) -> Remediation:
    match rem.step:
        case Step.CORDONING:
            return _to(replace(rem, cordoned=True), Step.DRAINING, now, outcome.detail or "cordoned")
        case Step.DRAINING:
            return _drained(rem, outcome, now)
        case Step.EVIDENCE:
            return _to(rem, Step.REPAIRING, now, outcome.detail or "evidence kept")
        case Step.REPAIRING:
            return _repaired(rem, outcome, now)
        case Step.VALIDATING:
            return _validated(rem, outcome, now, poll)
        case _:
            return _to(rem, Step.DONE, now, outcome.detail or "back in service")


def _drained(rem: Remediation, outcome: Outcome, now: float) -> Remediation:
    if rem.rung_kind is RungKind.QUARANTINE:
        return _to(rem, Step.QUARANTINED, now, f"drained; {_why_a_person(rem)}")
    following = Step.EVIDENCE if rem.tried < 0 else Step.REPAIRING
    return _to(rem, following, now, outcome.detail or "drained")


def _why_a_person(rem: Remediation) -> str:
    return rem.remedy.about if rem.tried < 0 and rem.remedy.about else "the remedy asks for a person"


def _repaired(rem: Remediation, outcome: Outcome, now: float) -> Remediation:
    if rem.attempt is not None and rem.attempt.kind is ActionKind.AWAIT_REPAIR:
        return _to(rem, Step.VALIDATING, now, outcome.detail or "repair seen")
    accepted = replace(rem, issued=True, step_since=now, next_try_at=now)
    return _noted(accepted, now, outcome.detail or f"{rem.rung_kind.value} begun")


def _validated(rem: Remediation, outcome: Outcome, now: float, poll: float) -> Remediation:
    since = now if rem.clean_since is None else rem.clean_since
    soak = rem.remedy.validation.soak
    if now - since >= soak:
        return _to(rem, Step.RETURNING, now, outcome.detail or "validated")
    return replace(rem, clean_since=since, next_try_at=now + min(poll, since + soak - now))


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
    """The next rung that was not tried, if there is one; and first the proof again that nothing runs."""
    higher = replace(rem, rung=rem.tried + 1)
    if higher.rung_kind is RungKind.QUARANTINE:
        return _to(higher, Step.QUARANTINED, now, why)
    return _to(higher, Step.DRAINING, now, f"{why}; next: {higher.rung_kind.value}")


def _noted(rem: Remediation, now: float, detail: str) -> Remediation:
    record = StepRecord(step=rem.step, at=now, detail=detail)
    return replace(rem, updated_at=now, history=(*rem.history, record)[-_HISTORY:])


def _to(rem: Remediation, step: Step, now: float, detail: str) -> Remediation:
    moved = replace(
        rem,
        step=step,
        step_since=now,
        next_try_at=now,
        issued=False,
        clean_since=None,
        resumed_at=None,
    )
    return _noted(moved, now, detail)
