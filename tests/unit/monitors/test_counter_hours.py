"""An hour of a counter: what it gained, whatever became of the counter."""

from hypothesis import given
from hypothesis import strategies as st

from sickbay.monitors.counter_hours import CounterHours

STEP = 30.0
GAINS = st.lists(st.integers(min_value=0, max_value=50), min_size=1, max_size=400)


def driven(gains: list[int], *, reset_at: int = -1) -> CounterHours:
    """A counter that gains so much from look to look, half a minute apart, and may be set to zero once."""
    value = 1000
    hours = CounterHours.first({"errors": value}, 0.0)
    for look, gain in enumerate(gains, start=1):
        value = gain if look == reset_at else value + gain
        hours = hours.later({"errors": value}, look * STEP)
    return hours


@given(GAINS)
def test_an_hour_holds_what_came_in_it_to_five_minutes(gains: list[int]) -> None:
    told = driven(gains).in_hour("errors")
    assert told is not None
    assert sum(gains[-120:]) <= told <= sum(gains[-131:])


@given(GAINS, st.integers(min_value=1, max_value=100))
def test_a_counter_that_is_set_to_zero_counts_on(gains: list[int], look: int) -> None:
    assert driven(gains, reset_at=look).in_hour("errors") == driven(gains).in_hour("errors")


@given(st.integers(min_value=0, max_value=5000))
def test_no_more_samples_are_kept_than_an_hour_needs(looks: int) -> None:
    assert len(driven([1] * min(looks, 600)).samples) <= 15


def test_what_a_counter_held_before_the_first_look_is_of_another_time() -> None:
    assert CounterHours.first({"errors": 5000}, 0.0).in_hour("errors") == 0


def test_a_counter_that_does_not_show_is_unknown_and_is_taken_up_where_it_was_left() -> None:
    hours = CounterHours.first({"errors": 5}, 0.0).later({}, 30.0)
    assert hours.in_hour("errors") is None
    assert hours.later({"errors": 9}, 60.0).in_hour("errors") == 4


def test_a_counter_that_appears_later_begins_then() -> None:
    hours = CounterHours.first({}, 0.0).later({"errors": 70}, 30.0)
    assert hours.in_hour("errors") == 0
    assert hours.later({"errors": 71}, 60.0).in_hour("errors") == 1
