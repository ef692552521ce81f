"""Signals, conditions and events, there and back."""

import math
from types import MappingProxyType
from typing import assert_never

from sickbay.core.conditions import Condition, Mode, Severity, Status
from sickbay.core.devices import NODE
from sickbay.core.ids import BootId, NodeName, RuleId
from sickbay.core.instants import Instant
from sickbay.core.messages import Event
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.rpc.convert_devices import SCOPES, core_subject, wire_subject
from sickbay.rpc.convert_values import EnumCodec, fits, integer, seconds, text, texts
from sickbay.v1 import types_pb2 as pb

STATUSES = EnumCodec(pb.ConditionStatus, Status, prefix="CONDITION_STATUS", safest=Status.UNKNOWN)
SEVERITIES = EnumCodec(pb.Severity, Severity, prefix="SEVERITY", safest=Severity.WARNING)
MODES = EnumCodec(pb.Mode, Mode, prefix="MODE", safest=Mode.OBSERVE)

_WIDEST_INTEGER = 80
"""Decimal digits of an integer that we take from outside; 256 bits have 78."""

_UNREAD = 512
"""Bytes of an event of an unknown kind that are kept for a person to look at."""


def wire_signal(signal: Signal) -> pb.Signal:
    """What a monitor saw."""
    message = pb.Signal(
        kind=text(signal.kind),
        subject=wire_subject(signal.subject),
        at=signal.at.wall,
        at_mono=signal.at.mono,
        sources=texts(signal.sources),
        raw=text(signal.raw),
        synthetic=signal.synthetic,
        count=integer(signal.count),
    )
    for name, value in signal.fields.items():
        _set_field(message.fields[text(name)], value)
    if signal.identity is not None:
        message.identity.CopyFrom(_wire_identity(signal.identity))
    return message


def core_signal(message: pb.Signal) -> Signal:
    """What a monitor saw."""
    return Signal(
        kind=message.kind,
        subject=core_subject(message.subject),
        at=Instant(mono=seconds(message.at_mono), wall=seconds(message.at)),
        fields=MappingProxyType({name: _core_field(value) for name, value in message.fields.items()}),
        identity=_core_identity(message.identity) if message.HasField("identity") else None,
        sources=tuple(message.sources),
        raw=message.raw,
        synthetic=message.synthetic,
        count=message.count,
    )


def wire_condition(condition: Condition) -> pb.Condition:
    """One fault of one part."""
    return pb.Condition(
        type=text(condition.type),
        subject=wire_subject(condition.subject),
        status=STATUSES.wire(condition.status),
        severity=SEVERITIES.wire(condition.severity),
        rule=text(condition.rule),
        reason=text(condition.reason),
        message=text(condition.message),
        since=condition.since,
        observed_at=condition.observed_at,
        boot_id=text(condition.boot_id),
        remedy=text(condition.remedy),
        mode=MODES.wire(condition.mode),
        family=text(condition.family),
        runbook=text(condition.runbook),
        clears=text(condition.clears),
        evidence=texts(condition.evidence),
        occurrences=integer(condition.occurrences),
        caused_by=text(condition.caused_by),
        synthetic=condition.synthetic,
        t0=condition.t0,
        t1=condition.t1,
    )


def core_condition(message: pb.Condition) -> Condition:
    """One fault of one part. One on a part of a kind that is not known is UNKNOWN: nobody may act on it."""
    return Condition(
        type=message.type,
        subject=core_subject(message.subject),
        status=STATUSES.core(message.status) if SCOPES.knows(message.subject.scope) else Status.UNKNOWN,
        severity=SEVERITIES.core(message.severity),
        rule=RuleId(message.rule),
        reason=message.reason,
        message=with_severity_noted(message.message, message.severity),
        since=seconds(message.since),
        observed_at=seconds(message.observed_at),
        boot_id=BootId(message.boot_id),
        remedy=message.remedy,
        mode=MODES.core(message.mode),
        family=message.family,
        runbook=message.runbook,
        clears=message.clears,
        evidence=tuple(message.evidence),
        occurrences=message.occurrences,
        caused_by=message.caused_by,
        synthetic=message.synthetic,
        t0=seconds(message.t0),
        t1=seconds(message.t1),
    )


def with_severity_noted(words: str, number: int) -> str:
    """The words, and before them a severity that this version does not know and shows as a warning."""
    return words if SEVERITIES.knows(number) else f"(severity {number}) {words}".rstrip()


def wire_event(event: Event) -> pb.Event:
    """One entry of a node's history."""
    message = pb.Event(
        sequence=integer(event.sequence),
        id=text(event.id),
        at=event.at,
        boot_id=text(event.boot_id),
        node=text(event.node),
    )
    match event.what:
        case Signal():
            message.signal.CopyFrom(wire_signal(event.what))
        case Condition():
            message.condition.CopyFrom(wire_condition(event.what))
        case _:
            assert_never(event.what)
    return message


def core_event(message: pb.Event) -> Event:
    """One entry of a node's history. What this version cannot read is kept as a signal with its raw bytes."""
    return Event(
        sequence=message.sequence,
        id=message.id,
        at=seconds(message.at),
        boot_id=BootId(message.boot_id),
        what=_core_what(message),
        node=NodeName(message.node),
    )


def _core_what(message: pb.Event) -> Signal | Condition:
    match message.WhichOneof("what"):
        case "signal":
            return core_signal(message.signal)
        case "condition":
            return core_condition(message.condition)
        case _:
            return Signal(
                kind="unknown",
                subject=NODE,
                at=Instant(mono=0.0, wall=seconds(message.at)),
                raw=message.SerializeToString()[:_UNREAD].hex(),
            )


def _wire_identity(identity: EventId) -> pb.EventId:
    return pb.EventId(
        boot_id=text(identity.boot_id),
        source=text(identity.source),
        sequence=integer(identity.sequence),
    )


def _core_identity(message: pb.EventId) -> EventId:
    return EventId(boot_id=BootId(message.boot_id), source=message.source, sequence=message.sequence)


def _set_field(message: pb.FieldValue, value: FieldValue) -> None:
    match value:
        case None:
            pass
        case bool():
            message.flag = value
        case int() if fits(value):
            message.integer = value
        case int():
            message.wide_integer = str(value)
        case float():
            message.number = value
        case str():
            message.text = text(value)
        case _:
            assert_never(value)


def _core_field(message: pb.FieldValue) -> FieldValue:
    """A field's value; None, which is *unknown*, for what is unset, not finite or not a number at all."""
    match message.WhichOneof("value"):
        case "flag":
            return message.flag
        case "integer":
            return message.integer
        case "number":
            return message.number if math.isfinite(message.number) else None
        case "text":
            return message.text
        case "wide_integer":
            return _core_wide(message.wide_integer)
        case _:
            return None


def _core_wide(digits: str) -> int | None:
    plain = digits.removeprefix("-")
    if len(plain) > _WIDEST_INTEGER or not (plain.isascii() and plain.isdigit()):
        return None
    return int(digits)
