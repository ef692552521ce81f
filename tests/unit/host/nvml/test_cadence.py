"""What is due in a sweep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.host.nvml.cadence import Cadence, period
from sickbay.host.nvml.catalogue import (
    EVERY,
    FABRIC,
    GROUPS,
    INFOROM,
    MODES,
    NVLINK_ERRORS,
    PLATFORM,
    TEMPERATURE,
)

ALL = frozenset(GROUPS)
QUICK = frozenset(group for group, every in EVERY.items() if every == 10.0)


def test_everything_is_due_at_first_and_after_a_fresh_beginning():
    cadence = Cadence()
    assert cadence.due(5.0) == ALL
    assert cadence.after(GROUPS, 5.0).afresh().due(5.1) == ALL


def test_what_belongs_to_every_sweep_is_due_in_extra_ones_too():
    assert Cadence().after(GROUPS, 0.0).due(0.1) == QUICK


def test_what_was_not_read_stays_due():
    cadence = Cadence().after(QUICK, 0.0)
    assert cadence.due(10.0) == ALL


@pytest.mark.parametrize(
    ("interval", "group", "seconds"),
    [
        (10.0, FABRIC, 30.0),
        (10.0, MODES, 60.0),
        (10.0, PLATFORM, 3600.0),
        (0.2, NVLINK_ERRORS, 0.6),
        (0.2, MODES, 1.2),
        (0.2, INFOROM, 3600.0),
        (60.0, TEMPERATURE, 60.0),
        (60.0, FABRIC, 60.0),
        (60.0, INFOROM, 3600.0),
    ],
)
def test_periods_follow_the_interval_down_but_not_up(interval: float, group: str, seconds: float):
    assert period(group, interval) == pytest.approx(seconds)


@given(
    st.floats(0.05, 120.0),
    st.lists(st.floats(0.9, 1.1), min_size=1, max_size=500),
)
def test_no_group_is_read_far_from_its_period_however_sweeps_are_spread(interval: float, spread: list[float]):
    cadence, now = Cadence(interval=interval).after(GROUPS, 0.0), 0.0
    for share in spread:
        now += interval * share
        due = cadence.due(now)
        for group in GROUPS:
            assert now - cadence.read[group] <= period(group, interval) + interval, group
        cadence = cadence.after(due, now)
