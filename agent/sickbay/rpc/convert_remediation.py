"""Remedies and remediations, there and back."""

from sickbay.core.ids import ActionId, BootId, IncidentId, NodeName, RemediationId
from sickbay.core.remediation import ActionKind, Attempt, Remediation, Step, StepRecord
from sickbay.core.remedies import (
    Attempts,
    Deadlines,
    Drain,
    DrainMode,
    OnTimeout,
    Remedy,
    Rung,
    RungKind,
    Validation,
)
from sickbay.rpc.convert_outcomes import core_outcome, wire_outcome
from sickbay.rpc.convert_values import EnumCodec, integer, maybe_seconds, seconds, text
from sickbay.v1 import types_pb2 as pb

# A step that came later than this version is shown as the one in which nothing is done to a node; a rung as
# the one that leaves it to a person; an action as one that only looks.
STEPS = EnumCodec(pb.Step, Step, prefix="STEP", safest=Step.PROPOSED)
RUNG_KINDS = EnumCodec(pb.RungKind, RungKind, prefix="RUNG_KIND", safest=RungKind.QUARANTINE)
ACTION_KINDS = EnumCodec(pb.ActionKind, ActionKind, prefix="ACTION_KIND", safest=ActionKind.AWAIT_REPAIR)
DRAIN_MODES = EnumCodec(pb.DrainMode, DrainMode, prefix="DRAIN_MODE", safest=DrainMode.WAIT)
ON_TIMEOUTS = EnumCodec(pb.OnTimeout, OnTimeout, prefix="ON_TIMEOUT", safest=OnTimeout.HOLD)


def wire_remedy(remedy: Remedy) -> pb.Remedy:
    """A named ladder, whole."""
    drain, validation = remedy.drain, remedy.validation
    attempts, deadlines = remedy.attempts, remedy.deadlines
    return pb.Remedy(
        id=text(remedy.id),
        about=text(remedy.about),
        drain=pb.Drain(
            mode=DRAIN_MODES.wire(drain.mode),
            timeout=drain.timeout,
            on_timeout=ON_TIMEOUTS.wire(drain.on_timeout),
        ),
        ladder=[wire_rung(rung) for rung in remedy.ladder],
        validation=pb.Validation(soak=validation.soak, deadline=validation.deadline),
        attempts=pb.Attempts(max=integer(attempts.max), window=attempts.window),
        deadlines=pb.Deadlines(
            cordon=deadlines.cordon,
            evidence=deadlines.evidence,
            returning=deadlines.returning,
        ),
    )


def core_remedy(message: pb.Remedy) -> Remedy:
    """A named ladder, whole."""
    drain, validation = message.drain, message.validation
    attempts, deadlines = message.attempts, message.deadlines
    return Remedy(
        id=message.id,
        about=message.about,
        drain=Drain(
            mode=DRAIN_MODES.core(drain.mode),
            timeout=seconds(drain.timeout),
            on_timeout=ON_TIMEOUTS.core(drain.on_timeout),
        ),
        ladder=tuple(core_rung(rung) for rung in message.ladder),
        validation=Validation(soak=seconds(validation.soak), deadline=seconds(validation.deadline)),
        attempts=Attempts(max=attempts.max, window=seconds(attempts.window)),
        deadlines=Deadlines(
            cordon=seconds(deadlines.cordon),
            evidence=seconds(deadlines.evidence),
            returning=seconds(deadlines.returning),
        ),
    )


def wire_rung(rung: Rung) -> pb.Rung:
    """One step of a ladder."""
    return pb.Rung(kind=RUNG_KINDS.wire(rung.kind), deadline=rung.deadline, service=text(rung.service))


def core_rung(message: pb.Rung) -> Rung:
    """One step of a ladder."""
    return Rung(
        kind=RUNG_KINDS.core(message.kind), deadline=seconds(message.deadline), service=message.service
    )


def wire_attempt(attempt: Attempt) -> pb.Attempt:
    """An action that was journalled."""
    return pb.Attempt(
        action_id=text(attempt.action_id),
        kind=ACTION_KINDS.wire(attempt.kind),
        started_at=attempt.started_at,
        tries=integer(attempt.tries),
        last=None if attempt.last is None else wire_outcome(attempt.last),
    )


def core_attempt(message: pb.Attempt) -> Attempt:
    """An action that was journalled."""
    return Attempt(
        action_id=ActionId(message.action_id),
        kind=ACTION_KINDS.core(message.kind),
        started_at=seconds(message.started_at),
        tries=message.tries,
        last=core_outcome(message.last) if message.HasField("last") else None,
    )


def wire_step(record: StepRecord) -> pb.StepRecord:
    """One line of a remediation's story."""
    return pb.StepRecord(step=STEPS.wire(record.step), at=record.at, detail=text(record.detail))


def core_step(message: pb.StepRecord) -> StepRecord:
    """One line of a remediation's story; a step that is not known is named by its number in the detail."""
    detail = message.detail if STEPS.knows(message.step) else f"(step {message.step}) {message.detail}"
    return StepRecord(step=STEPS.core(message.step), at=seconds(message.at), detail=detail)


def wire_remediation(remediation: Remediation) -> pb.Remediation:
    """A node's way back, whole."""
    attempt = remediation.attempt
    return pb.Remediation(
        id=text(remediation.id),
        node=text(remediation.node),
        incidents=[text(incident) for incident in remediation.incidents],
        remedy=wire_remedy(remediation.remedy),
        step=STEPS.wire(remediation.step),
        boot_before=text(remediation.boot_before),
        opened_at=remediation.opened_at,
        updated_at=remediation.updated_at,
        step_since=remediation.step_since,
        rung=integer(remediation.rung),
        tried=integer(remediation.tried) if remediation.tried >= 0 else None,
        issued=remediation.issued,
        cordoned=remediation.cordoned,
        relieved=remediation.relieved,
        clean_since=remediation.clean_since,
        resumed_at=remediation.resumed_at,
        next_try_at=remediation.next_try_at,
        attempt=None if attempt is None else wire_attempt(attempt),
        history=[wire_step(record) for record in remediation.history],
    )


def core_remediation(message: pb.Remediation) -> Remediation:
    """A node's way back, whole. Its place on the ladder is held within the ladder."""
    remedy = core_remedy(message.remedy)
    tried = message.tried if message.HasField("tried") else -1
    return Remediation(
        id=RemediationId(message.id),
        node=NodeName(message.node),
        incidents=tuple(IncidentId(incident) for incident in message.incidents),
        remedy=remedy,
        step=STEPS.core(message.step),
        boot_before=BootId(message.boot_before),
        opened_at=seconds(message.opened_at),
        updated_at=seconds(message.updated_at),
        step_since=seconds(message.step_since),
        rung=max(message.rung, 0),
        tried=min(max(tried, -1), len(remedy.ladder) - 1),
        issued=message.issued,
        cordoned=message.cordoned,
        relieved=message.relieved,
        clean_since=maybe_seconds(message.clean_since) if message.HasField("clean_since") else None,
        resumed_at=maybe_seconds(message.resumed_at) if message.HasField("resumed_at") else None,
        next_try_at=seconds(message.next_try_at),
        attempt=core_attempt(message.attempt) if message.HasField("attempt") else None,
        history=tuple(core_step(record) for record in message.history),
    )
