"""NVLinks that are up, and those that are not."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState
from sickbay.monitors.nvlink import signals


def fields(*states: int | None) -> dict[str, object]:
    return dict(only(signals(sweep(gpu(nvlink_states=states)))).fields)


def test_a_link_goes_down_and_comes_back():
    assert fields(1, 1, 1) == {"links": 3, "active": 3, "inactive": 0, "first_inactive": -1}
    assert fields(1, 0, 1) == {"links": 3, "active": 2, "inactive": 1, "first_inactive": 1}
    assert fields(1, 1, 1)["inactive"] == 0


def test_a_sleeping_link_is_well_and_one_without_traffic_is_down():
    assert fields(2, 1)["inactive"] == 0
    assert fields(3, 1) == {"links": 2, "active": 1, "inactive": 1, "first_inactive": 0}


def test_with_a_link_unknown_none_is_said_to_be_well():
    assert fields(1, None) == {"links": 2, "active": None, "inactive": None, "first_inactive": None}


def test_a_link_that_is_down_stays_down_beside_an_unknown_one():
    assert fields(0, None) == {"links": 2, "active": None, "inactive": 1, "first_inactive": 0}


def test_states_that_cannot_be_had_are_unknown_until_they_can():
    states = (gpu(), gpu(codes={"nvlink_states": 999}), gpu())
    assert [only(signals(sweep(state))).fields["inactive"] for state in states] == [0, None, 0]


def test_a_gpu_without_links_says_nothing():
    assert signals(sweep(gpu(nvlink_states=()))) == ()
    assert signals(sweep(gpu(codes={"nvlink_states": 3}))) == ()


def test_nothing_is_claimed_of_a_gpu_that_is_left_out():
    assert set(only(signals(sweep(gpu_in(GpuState.UNSEEN)))).fields.values()) == {None}
