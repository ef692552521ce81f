"""How soon the coordinator is told."""

from pathlib import Path

import pytest
from tests.fakes.node_parts import INVENTORY, Parts
from tests.fakes.words import a_condition

from sickbay.core.signals import Signal


def degrees(parts: Parts, heat: int) -> Signal:
    return parts.reading("temperature", gpu=heat)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def test_a_changed_state_goes_at_once(parts: Parts) -> None:
    parts.reporter.tell(parts.clock.now(), readings=(parts.reading("recovery_action", action="NONE"),))
    assert len(parts.told.deltas) == 1


def test_a_gauge_waits_for_company_and_at_most_a_minute(parts: Parts) -> None:
    parts.reporter.tell(parts.clock.now(), changed=(a_condition(),))
    warm = parts.reading("temperature", gpu=41)
    parts.reporter.tell(parts.clock.now(), readings=(warm,))
    assert len(parts.told.deltas) == 1
    parts.reporter.tell(parts.clock.now(), changed=(a_condition(type_="Hot"),))
    assert parts.told.deltas[-1].readings == (warm,)
    parts.reporter.tell(parts.clock.now(), readings=(parts.reading("temperature", gpu=55),))
    parts.clock.advance(60)
    parts.reporter.tell(parts.clock.now())
    assert [signal.fields["gpu"] for signal in parts.told.deltas[-1].readings] == [55]


def test_a_gauge_that_hardly_moved_waits_a_quarter_of_an_hour(parts: Parts) -> None:
    parts.reporter.tell(parts.clock.now(), changed=(a_condition(),), readings=(degrees(parts, 41),))
    for minute in range(14):
        parts.clock.advance(60)
        parts.reporter.tell(parts.clock.now(), readings=(degrees(parts, 42 + minute % 2),))
    assert len(parts.told.deltas) == 1
    parts.clock.advance(60)
    parts.reporter.tell(parts.clock.now())
    assert [signal.fields["gpu"] for signal in parts.told.deltas[-1].readings] == [43]


def test_a_gauge_that_came_back_to_what_was_told_is_not_told(parts: Parts) -> None:
    parts.reporter.tell(parts.clock.now(), changed=(a_condition(),), readings=(degrees(parts, 41),))
    parts.reporter.tell(parts.clock.now(), readings=(degrees(parts, 44),))
    parts.reporter.tell(parts.clock.now(), readings=(degrees(parts, 41),))
    parts.clock.advance(1000)
    parts.reporter.tell(parts.clock.now())
    assert len(parts.told.deltas) == 1


def test_readings_that_no_fleet_looks_at_stay_on_the_host(parts: Parts) -> None:
    parts.reporter.tell(parts.clock.now(), readings=(parts.reading("pcie", generation=5),))
    assert parts.told.deltas == []
    parts.reporter.tell_all(
        parts.clock.now(),
        (parts.reading("pcie", generation=5), parts.reading("power", instant=70.0, average=71.0)),
    )
    (told,) = parts.told.deltas[-1].readings
    assert (told.kind, dict(told.fields)) == ("power", {"instant": 70.0})


def test_of_a_condition_that_was_seen_again_only_the_latest_form_travels(parts: Parts) -> None:
    parts.reporter.tell(parts.clock.now(), changed=(a_condition(),))
    parts.reporter.tell(parts.clock.now(), refreshed=(a_condition(),))
    parts.reporter.tell(parts.clock.now(), changed=(a_condition(),))
    assert len(parts.told.deltas[-1].conditions) == 1


def test_a_new_inventory_goes_at_once(parts: Parts) -> None:
    parts.reporter.tell(parts.clock.now(), inventory=INVENTORY)
    assert parts.told.deltas[-1].inventory == INVENTORY


def test_nothing_is_said_when_there_is_nothing_to_say(parts: Parts) -> None:
    parts.clock.advance(1000)
    parts.reporter.tell(parts.clock.now())
    assert parts.told.deltas == []
