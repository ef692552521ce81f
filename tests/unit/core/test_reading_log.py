"""Readings that are worth keeping."""

import pytest
from tests.support.rules import gpu, happened, reading, rules_from
from tests.support.sample_rules import RULES

from sickbay.core.reading_log import LEAST_APART, ReadingLog, named_fields
from sickbay.core.signal_fields import FieldValue

SAMPLE = rules_from(RULES)


@pytest.fixture
def log() -> ReadingLog:
    return ReadingLog.of(SAMPLE)


def test_the_first_reading_of_each_part_is_kept_and_the_same_again_is_not(log: ReadingLog) -> None:
    first = (reading("clocks", 0, hw_power_brake=False), reading("clocks", 0, gpu(1), hw_power_brake=False))
    assert log.worth_keeping(first) == first
    assert log.worth_keeping([reading("clocks", 100, hw_power_brake=False)]) == ()


@pytest.mark.parametrize(
    ("kind", "field", "before", "now", "kept"),
    [
        ("clocks", "hw_power_brake", False, True, True),
        ("clocks", "hw_power_brake", True, None, True),
        ("temperature", "gpu", 60, 63, False),
        ("temperature", "gpu", 60, 76, True),
        ("temperature", "gpu", 10, 14, False),
        ("temperature", "gpu", None, 60, True),
        ("nvlink", "inactive", 0, 1, True),
        ("nvlink", "inactive", 1, 0, True),
    ],
)
def test_what_a_rule_could_tell_apart_is_kept(
    log: ReadingLog, *, kind: str, field: str, before: FieldValue, now: FieldValue, kept: bool
) -> None:
    log.worth_keeping([reading(kind, 0, **{field: before})])
    found = log.worth_keeping([reading(kind, LEAST_APART, **{field: now})])
    assert bool(found) is kept


def test_a_field_that_no_rule_names_decides_nothing_and_is_kept_with_the_others(log: ReadingLog) -> None:
    log.worth_keeping([reading("clocks", 0, hw_power_brake=False, idle=True)])
    assert log.worth_keeping([reading("clocks", 60, hw_power_brake=False, idle=False)]) == ()
    (kept,) = log.worth_keeping([reading("clocks", 60, hw_power_brake=True, idle=False)])
    assert kept.fields["idle"] is False


def test_nothing_is_kept_twice_in_a_minute_and_the_latest_comes_through_after_it(log: ReadingLog) -> None:
    log.worth_keeping([reading("clocks", 0, hw_power_brake=False)])
    flaps = [reading("clocks", at, hw_power_brake=bool(at // 10 % 2)) for at in range(10, 60, 10)]
    assert [log.worth_keeping([flap]) for flap in flaps] == [()] * 5
    assert log.worth_keeping([reading("clocks", 60, hw_power_brake=True)])


def test_a_kind_that_no_rule_looks_at_is_not_kept_and_events_are_not_readings(log: ReadingLog) -> None:
    assert log.worth_keeping([reading("ecc", 0, corrected=1), happened("xid", 0, 1, code=79)]) == ()


def test_the_fields_that_count_are_those_of_when_and_of_clear() -> None:
    named = named_fields(SAMPLE)
    assert "hw_power_brake" in named["clocks"]
    assert all(field in named["temperature"] for field in ("gpu",))
