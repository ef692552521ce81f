"""Counters from one sweep to the next."""

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.sweeps import gpu, sweep

from sickbay.monitors.growth import growth, together

COUNTS = st.integers(min_value=0, max_value=2**64 - 1)
LINKS = st.lists(st.none() | COUNTS, max_size=18).map(tuple)


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


@given(then=LINKS, now=LINKS, seconds=st.sampled_from([0.0, 30.0]))
def test_a_counter_of_each_link_grows_as_a_counter_does(
    then: tuple[int | None, ...], now: tuple[int | None, ...], seconds: float
):
    whole = growth(sweep(gpu(), after=seconds), gpu(links=now), sweep(gpu(links=then)))
    gained = whole.of_each("links")
    assert len(gained) == len(now)
    if len(then) != len(now):
        assert set(gained) <= {None}
    for first, last, gain in zip(then, now, gained, strict=False):
        one = {name: {"one": value} for name, value in (("then", first), ("now", last)) if value is not None}
        alone = growth(
            sweep(gpu(), after=seconds), gpu(**one.get("now", {})), sweep(gpu(**one.get("then", {})))
        )
        assert gain == (alone.of("one") if len(then) == len(now) else None)


def test_links_that_were_not_read_have_not_grown():
    assert growth(sweep(gpu()), gpu(codes={"links": 3}), sweep(gpu(links=(1,)))).of_each("links") == ()


@given(st.lists(st.none() | COUNTS))
def test_gains_together_are_known_when_all_are_or_when_there_is_something(gained: list[int | None]):
    known = [each for each in gained if each is not None]
    total = together(gained)
    assert total is None if not any(known) and (None in gained or not gained) else total == sum(known)
