"""What of a host's readings a fleet is told."""

from dataclasses import replace

import pytest
from tests.fakes.words import GPU, a_signal

from sickbay.core.fleet_readings import GAUGES, TOLD, as_told, moved, take_up
from sickbay.core.signals import KINDS, FieldValue, Signal


def reading(kind: str, **fields: FieldValue) -> Signal:
    return replace(a_signal(), kind=kind, fields=fields, identity=None)


def test_what_is_told_is_declared() -> None:
    assert all(names <= KINDS[kind].keys() for kind, names in TOLD.items())
    assert TOLD.keys() >= GAUGES


def test_a_reading_is_told_in_the_fields_that_a_fleet_looks_at() -> None:
    told = as_told(reading("recovery_action", action="NONE", value=0))
    assert told is not None
    assert dict(told.fields) == {"action": "NONE"}
    assert as_told(reading("sram", parity=1)) is None


def test_what_happened_is_no_reading() -> None:
    assert as_told(replace(a_signal(), kind="gpu_lost")) is None


@pytest.mark.parametrize(
    ("before", "now", "is_a_move"),
    [
        ({"gpu": 40, "memory": None}, {"gpu": 41, "memory": None}, False),
        ({"gpu": 40, "memory": None}, {"gpu": 50, "memory": None}, True),
        ({"gpu": 10, "memory": None}, {"gpu": 13, "memory": None}, False),
        ({"gpu": 40, "memory": None}, {"gpu": None, "memory": None}, True),
        ({"gpu": 40, "memory": None}, {"gpu": 40, "memory": 50}, True),
    ],
)
def test_a_move_is_what_a_person_would_call_one(
    before: dict[str, FieldValue], now: dict[str, FieldValue], *, is_a_move: bool
) -> None:
    assert moved(reading("temperature", **before), reading("temperature", **now)) is is_a_move


def test_of_a_node_only_what_is_told_is_held_and_equal_parts_of_it_once() -> None:
    held: dict[tuple[str, str], Signal] = {}
    take_up(held, [reading("power", instant=70.0), reading("sram", parity=1), reading("ecc", corrected=3)])
    take_up(held, [replace(reading("power", instant=80.0), subject=replace(GPU))])
    assert {kind: dict(signal.fields) for (kind, _), signal in held.items()} == {
        "power": {"instant": 80.0},
        "ecc": {"corrected": 3},
    }
    first, second = held.values()
    assert first.subject is second.subject


def test_what_was_never_told_is_a_move() -> None:
    assert moved(None, reading("power", instant=1.0))
