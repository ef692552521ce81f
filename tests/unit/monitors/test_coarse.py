"""Figures in steps that a person would call a change."""

from hypothesis import given
from hypothesis import strategies as st

from sickbay.monitors.coarse import in_steps, left, power_of_two


@given(st.integers(min_value=1, max_value=2**60))
def test_a_power_of_two_is_at_most_the_number_and_more_than_half(number: int) -> None:
    step = power_of_two(number)
    assert step is not None
    assert step <= number < 2 * step


def test_nothing_and_unknown_stay_what_they_are() -> None:
    assert (power_of_two(0), power_of_two(None), left(None), in_steps(None, 1.0)) == (0, None, None, None)


def test_what_is_scarce_is_told_more_exactly() -> None:
    assert [left(share) for share in (0.987, 0.3, 0.1, 0.0999, 0.019)] == [0.9, 0.3, 0.1, 0.09, 0.01]


def test_noise_around_zero_is_zero() -> None:
    assert [in_steps(number, 0.05) for number in (-0.01, 0.01, -0.06, 0.15)] == [0.0, 0.0, -0.05, 0.15]
