"""Counters from one sweep to the next."""

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.sweeps import gpu, sweep

from sickbay.monitors.growth import growth

COUNTS = st.integers(min_value=0, max_value=2**64 - 1)


@given(then=COUNTS, now=COUNTS, seconds=st.floats(min_value=0.001, max_value=1e6))
def test_no_two_readings_make_a_negative_rate_or_a_share_beyond_the_whole(
    then: int, now: int, seconds: float
):
    grew = growth(sweep(gpu(counter=now), after=seconds), gpu(counter=now), sweep(gpu(counter=then)))
    rate, share = grew.rate("counter"), grew.share("counter")
    assert rate is None or rate >= 0
    assert share is None or 0 <= share <= 1
    assert (rate is None) == (now < then)


@given(then=COUNTS, seconds=st.floats(min_value=-1e6, max_value=0))
def test_no_time_between_two_sweeps_makes_no_rate(then: int, seconds: float):
    grew = growth(sweep(gpu(counter=then), after=seconds), gpu(counter=then), sweep(gpu(counter=then)))
    assert (grew.rate("counter"), grew.share("counter")) == (None, None)


def test_without_a_sweep_before_nothing_is_known():
    grew = growth(sweep(gpu()), gpu(), None)
    assert (grew.of("temperature"), grew.rate("temperature"), grew.share("temperature")) == (None, None, None)
