"""Windows that recur, in the words of people and on the calendar."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.maintenance import Recurrence, parse_recurrence

HOUR = 3_600.0

spans = st.floats(1.0, 86_400.0)
recurrences = st.builds(
    Recurrence,
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    start=st.floats(0.0, 86_399.0),
    length=spans,
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "days", "start"),
    [
        ("sat 02:00", (5,), 2 * HOUR),
        ("Mon-Fri 22:30", (0, 1, 2, 3, 4), 22.5 * HOUR),
        ("mon,thu 04:00", (0, 3), 4 * HOUR),
        ("fri-mon 00:00", (0, 4, 5, 6), 0.0),
        ("daily 03:00", (0, 1, 2, 3, 4, 5, 6), 3 * HOUR),
    ],
)
def test_a_time_of_the_week_is_read_as_people_write_it(text: str, days: tuple[int, ...], start: float):
    assert parse_recurrence(text, HOUR) == Recurrence(days=days, start=start, length=HOUR)


@pytest.mark.parametrize("text", ["", "sat", "sat 2:00", "sat 24:00", "sat 02:60", "foo 02:00", "mon- 02:00"])
def test_what_is_no_time_of_a_week_is_refused_with_the_forms_that_are(text: str):
    with pytest.raises(ValueError, match="expected a form such as `sat 02:00`"):
        parse_recurrence(text, HOUR)


@pytest.mark.parametrize("length", [0.0, -1.0, 25 * HOUR])
def test_a_window_lasts_more_than_nothing_and_at_most_a_day(length: float):
    with pytest.raises(ValueError, match="at most 24h"):
        parse_recurrence("sat 02:00", length)


def test_a_window_opens_on_its_day_and_may_reach_into_the_next():
    window = parse_recurrence("sat 22:00", 4 * HOUR)
    assert window.open_until(at("2026-11-28T21:59")) is None
    assert window.open_until(at("2026-11-28T22:00")) == at("2026-11-29T02:00")
    assert window.open_until(at("2026-11-29T01:59")) == at("2026-11-29T02:00")
    assert window.open_until(at("2026-11-29T02:00")) is None
    assert window.last_end(at("2026-12-04T12:00")) == at("2026-11-29T02:00")
    assert str(window) == "sat 22:00 UTC"


@given(window=recurrences, now=st.floats(1e9, 2e9))
def test_a_window_is_open_or_was_and_never_ends_before_now_while_open(window: Recurrence, now: float):
    until, ended = window.open_until(now), window.last_end(now)
    assert until is None or now < until <= now + window.length
    assert ended is not None
    assert now - 8 * 86_400.0 <= ended <= now
