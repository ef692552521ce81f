"""What a version does not know becomes what acts on nothing."""

import math

import pytest
from tests.fakes.words import a_condition

from sickbay.core.conditions import Mode, Severity, Status
from sickbay.core.devices import NODE
from sickbay.core.signals import Signal
from sickbay.rpc.convert_observations import core_condition, core_event, core_signal, wire_condition
from sickbay.v1 import types_pb2 as pb


def test_a_condition_that_says_nothing_is_unknown_and_may_only_be_observed() -> None:
    condition = core_condition(pb.Condition())
    assert condition.status is Status.UNKNOWN
    assert condition.mode is Mode.OBSERVE
    assert condition.severity is Severity.WARNING
    assert not condition.is_open


def test_a_status_of_a_later_version_is_unknown() -> None:
    message = wire_condition(a_condition())
    message.status = pb.ConditionStatus.ValueType(17)
    assert core_condition(message).status is Status.UNKNOWN


def test_a_severity_of_a_later_version_is_a_warning_that_names_its_number() -> None:
    message = wire_condition(a_condition())
    message.severity = pb.Severity.ValueType(9)
    condition = core_condition(message)
    assert condition.severity is Severity.WARNING
    assert condition.message == "(severity 9) off the bus"


def test_a_mode_of_a_later_version_never_acts() -> None:
    message = wire_condition(a_condition())
    message.mode = pb.Mode.ValueType(8)
    assert core_condition(message).mode is Mode.OBSERVE


def test_a_condition_on_a_part_of_a_kind_that_came_later_is_unknown_and_not_the_nodes() -> None:
    message = wire_condition(a_condition())
    message.subject.Clear()
    message.subject.scope = pb.Scope.ValueType(6)
    condition = core_condition(message)
    assert condition.status is Status.UNKNOWN
    assert condition.subject.key != NODE.key


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (pb.FieldValue(), None),
        (pb.FieldValue(number=math.nan), None),
        (pb.FieldValue(number=math.inf), None),
        (pb.FieldValue(wide_integer="18446744073709551615"), 2**64 - 1),
        (pb.FieldValue(wide_integer="-18446744073709551615"), -(2**64) + 1),
        (pb.FieldValue(wide_integer="12 monkeys"), None),
        (pb.FieldValue(wide_integer="--1"), None),
        (pb.FieldValue(wide_integer=""), None),
        (pb.FieldValue(wide_integer="9" * 100_000), None),
        (pb.FieldValue(flag=False), False),
        (pb.FieldValue(integer=0), 0),
    ],
)
def test_a_figure_that_cannot_be_read_is_unknown_and_never_zero(value: pb.FieldValue, read: object) -> None:
    message = pb.Signal(kind="ecc")
    message.fields["corrected"].CopyFrom(value)
    found = core_signal(message).fields["corrected"]
    assert (found, type(found)) == (read, type(read))


def test_an_event_of_a_kind_that_came_later_keeps_its_bytes_for_a_person() -> None:
    later = pb.Event(sequence=4, id="e4", at=2.0).SerializeToString() + b"\xf2\x01\x03abc"
    event = core_event(pb.Event.FromString(later))
    assert event.sequence == 4
    assert isinstance(event.what, Signal)
    assert event.what.kind == "unknown"
    assert b"abc".hex() in event.what.raw
