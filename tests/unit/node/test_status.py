"""The level: what is so now, and what stands in the way of saying it."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.node_parts import INVENTORY, Parts

from sickbay.core.views import Health
from sickbay.node.status import FIRST_LOOK, sight_of


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def test_until_everything_essential_has_been_looked_at_health_is_unknown(parts: Parts) -> None:
    assert parts.status.health() == (Health.UNKNOWN, FIRST_LOOK)
    parts.status.take_sight(sight_of("kernel_log", "", parts.clock.now()))
    assert parts.status.health()[0] is Health.HEALTHY


def test_a_reading_is_news_when_its_fields_differ_and_not_when_its_time_does(parts: Parts) -> None:
    first = parts.reading("temperature", gpu=40)
    assert parts.status.take_readings([first]) == (first,)
    again = replace(first, at=parts.clock.now().later(10))
    assert parts.status.take_readings([again]) == ()
    assert parts.status.view(0.0).readings == (again,)


def test_an_event_is_no_level(parts: Parts) -> None:
    assert parts.status.take_readings([parts.xid(79, 1)]) == ()
    assert parts.status.view(0.0).readings == ()


def test_the_last_time_a_monitor_saw_is_kept_while_it_is_blind(parts: Parts) -> None:
    now = parts.clock.now()
    assert parts.status.take_sight(sight_of("nvml", "", now))
    assert not parts.status.take_sight(sight_of("nvml", "", now.later(10)))
    assert parts.status.take_sight(sight_of("nvml", "gone", now.later(20)))
    assert parts.status.monitors["nvml"].last_success == now.wall + 10
    parts.status.saw("nvml", now.wall + 30)
    assert parts.status.monitors["nvml"].last_success == now.wall + 10


def test_a_part_without_rules_is_shown_and_makes_nobody_blind(parts: Parts) -> None:
    parts.status.take_sight(sight_of("kernel_log", "", parts.clock.now()))
    parts.status.note("metrics", "address in use", 5.0)
    assert parts.status.health()[0] is Health.HEALTHY
    assert [m.name for m in parts.status.view(0.0).monitors if not m.healthy] == ["metrics"]


def test_what_only_the_healthy_host_had_is_still_known_by_name(parts: Parts) -> None:
    parts.status.baseline = INVENTORY
    parts.status.inventory = replace(INVENTORY, gpus=INVENTORY.gpus[1:])
    assert {gpu.uuid for gpu in parts.status.known_inventory.gpus} == {gpu.uuid for gpu in INVENTORY.gpus}
    assert len(parts.status.view(0.0).inventory.gpus) == 7
