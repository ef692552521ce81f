"""How soon the coordinator is told."""

from pathlib import Path

import pytest
from tests.fakes.node_parts import INVENTORY, Parts
from tests.fakes.words import a_condition


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
    parts.reporter.tell(parts.clock.now(), readings=(parts.reading("temperature", gpu=42),))
    parts.clock.advance(60)
    parts.reporter.tell(parts.clock.now())
    assert [signal.fields["gpu"] for signal in parts.told.deltas[-1].readings] == [42]


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
