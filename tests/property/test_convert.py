"""What crosses the wire arrives as it left, and what is garbage arrives as something that acts on nothing."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import EnumType
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from hypothesis import given, settings
from hypothesis import strategies as st

from sickbay.core.incidents import Incident
from sickbay.core.messages import ActionReport, Delta, Directive, Event, FullState, Hello, Welcome
from sickbay.core.remediation import Remediation
from sickbay.core.views import FleetView, HostView, IncidentDetail, NodeDetail, NodeSummary
from sickbay.rpc import convert_fleet as fleet
from sickbay.rpc import convert_host as host
from sickbay.rpc import convert_incidents, convert_observations, convert_remediation
from sickbay.rpc import convert_stream as stream
from sickbay.v1 import coordinator_pb2, fleet_pb2, node_pb2, types_pb2

PAIRS: dict[type[Any], tuple[Callable[[Any], Message], Callable[[Any], Any], type[Message]]] = {
    Hello: (stream.wire_hello, stream.core_hello, coordinator_pb2.Hello),
    FullState: (stream.wire_full_state, stream.core_full_state, coordinator_pb2.FullState),
    Delta: (stream.wire_delta, stream.core_delta, coordinator_pb2.Delta),
    Event: (convert_observations.wire_event, convert_observations.core_event, types_pb2.Event),
    ActionReport: (stream.wire_report, stream.core_report, coordinator_pb2.ActionReport),
    Directive: (stream.wire_directive, stream.core_directive, coordinator_pb2.Directive),
    Welcome: (stream.wire_welcome, stream.core_welcome, coordinator_pb2.Welcome),
    Incident: (convert_incidents.wire_incident, convert_incidents.core_incident, types_pb2.Incident),
    Remediation: (
        convert_remediation.wire_remediation,
        convert_remediation.core_remediation,
        types_pb2.Remediation,
    ),
    HostView: (host.wire_host, host.core_host, node_pb2.GetHealthResponse),
    NodeSummary: (fleet.wire_summary, fleet.core_summary, fleet_pb2.NodeSummary),
    NodeDetail: (fleet.wire_node, fleet.core_node, fleet_pb2.GetNodeResponse),
    IncidentDetail: (fleet.wire_incident_detail, fleet.core_incident_detail, fleet_pb2.GetIncidentResponse),
    FleetView: (fleet.wire_fleet, fleet.core_fleet, fleet_pb2.GetFleetResponse),
}

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    bool: st.booleans(),
    int: st.integers(min_value=-(2**63), max_value=2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
}
FIELD_VALUES = st.none() | st.booleans() | st.integers() | LEAVES[float] | WORDS
BROKEN_TEXT = st.text(max_size=8)
BROKEN_FLOATS = st.sampled_from([math.nan, math.inf, -math.inf])


def values(hint: object) -> st.SearchStrategy[Any]:
    """Values of a type of `sickbay.core`, every field drawn, those with a default too."""
    origin = get_origin(hint)
    if isinstance(hint, NewType):
        return values(hint.__supertype__)
    if origin in {Union, UnionType}:
        return st.one_of([values(part) for part in get_args(hint)])
    if origin is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(WORDS, FIELD_VALUES, max_size=3)
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{name: values(part) for name, part in hints(hint).items()}).map(sound)
    return st.sampled_from(hint) if isinstance(hint, EnumType) else LEAVES[hint]


def hints(kind: type[Any]) -> dict[str, Any]:
    resolved = get_type_hints(kind)
    return {field.name: resolved[field.name] for field in fields(kind)}


def sound(value: object) -> object:
    """A remediation stands on a rung that its ladder has; any other value is as it is."""
    if not isinstance(value, Remediation):
        return value
    last = len(value.remedy.ladder) - 1
    object.__setattr__(value, "rung", abs(value.rung) % (last + 2))
    object.__setattr__(value, "tried", abs(value.tried) % (last + 2) - 1)
    return value


def sent(message: Message) -> Message:
    """The message as the other end has it."""
    return type(message).FromString(message.SerializeToString())


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_sent_is_what_arrives(kind: type[Any], data: st.DataObject) -> None:
    there, back, _ = PAIRS[kind]
    value = data.draw(values(kind))
    assert back(sent(there(value))) == value


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_garbage_that_parses_converts_to_something_that_can_be_sent(
    kind: type[Any], data: st.DataObject
) -> None:
    there, back, wire = PAIRS[kind]
    try:
        message = wire.FromString(data.draw(st.binary(max_size=200)))
    except DecodeError:
        return
    value = back(message)
    if value is not None:
        assert back(sent(there(value))) == value


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_any_message_of_the_contract_converts(kind: type[Any], data: st.DataObject) -> None:
    there, back, wire = PAIRS[kind]
    value = back(data.draw(messages(wire.DESCRIPTOR)))
    if value is not None:
        again = back(sent(there(value)))
        assert again == value


def messages(descriptor: Descriptor, depth: int = 4) -> st.SearchStrategy[Message]:
    """Messages as another version or a fuzzer may send them: any number in an enum, anything left out."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Message:
        message: Message = descriptor._concrete_class()
        for field in descriptor.fields:
            if draw(st.booleans()):
                fill(draw, message, field, depth)
        return message

    return drawn()


def fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    target = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        for key in draw(st.lists(WORDS, max_size=2)):
            target[key].CopyFrom(draw(messages(field.message_type.fields_by_name["value"].message_type)))
    elif field.is_repeated and field.message_type is not None:
        target.extend(draw(st.lists(messages(field.message_type, depth - 1), max_size=1)) if depth else [])
    elif field.is_repeated:
        target.extend(draw(st.lists(WORDS, max_size=2)))
    elif field.message_type is not None:
        if depth:
            target.CopyFrom(draw(messages(field.message_type, depth - 1)))
    else:
        setattr(message, field.name, draw(scalar(field)))


def scalar(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        return st.integers(min_value=-(2**31), max_value=2**31 - 1) | st.integers(min_value=0, max_value=12)
    kinds = {
        field.CPPTYPE_STRING: WORDS,
        field.CPPTYPE_BOOL: LEAVES[bool],
        field.CPPTYPE_INT64: LEAVES[int],
        field.CPPTYPE_DOUBLE: st.floats(),
    }
    return kinds[field.cpp_type]


@given(event=values(Event), raw=BROKEN_TEXT, at=BROKEN_FLOATS, count=st.integers())
def test_values_that_protobuf_cannot_hold_are_sent_as_near_as_can_be(
    event: Event, raw: str, at: float, count: int
) -> None:
    object.__setattr__(event, "id", raw)
    object.__setattr__(event, "at", at)
    object.__setattr__(event, "sequence", count)
    arrived = convert_observations.core_event(sent(convert_observations.wire_event(event)))
    assert arrived.at == 0.0
    assert abs(arrived.sequence) <= 2**63
    assert arrived.id == raw.encode("utf-8", "backslashreplace").decode()
