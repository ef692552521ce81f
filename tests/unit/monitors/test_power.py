"""What a GPU draws and may draw."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.core.signals import FieldValue
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.power import signals

WELL: dict[str, Value] = {
    "power_instant_mw": 71_250,
    "power_average_mw": 70_000,
    "power_limit_mw": 700_000,
    "power_default_limit_mw": 700_000,
    "power_requested_limit_mw": 700_000,
    "power_min_limit_mw": 200_000,
    "power_max_limit_mw": 700_000,
}


def fields(seen: GpuSweep) -> dict[str, FieldValue]:
    return dict(only(signals(sweep(seen))).fields)


def test_everything_is_told_in_watts():
    assert fields(gpu(**WELL)) == {
        "instant": 71.25,
        "average": 70.0,
        "limit": 700.0,
        "default_limit": 700.0,
        "requested_limit": 700.0,
        "min_limit": 200.0,
        "max_limit": 700.0,
    }


def test_the_limit_is_lowered_and_restored():
    limits = [fields(gpu(**{**WELL, "power_limit_mw": n}))["limit"] for n in (700_000, 400_000, 700_000)]
    assert limits == [700.0, 400.0, 700.0]


def test_power_that_cannot_be_read_is_unknown_until_it_can():
    without = {name: value for name, value in WELL.items() if name != "power_instant_mw"}
    states = (gpu(**WELL), gpu(**without, codes={"power_instant_mw": 999}), gpu(**WELL))
    assert [fields(state)["instant"] for state in states] == [71.25, None, 71.25]


def test_a_gpu_that_draws_nothing_has_a_sensor_that_cannot_tell():
    assert fields(gpu(**{**WELL, "power_instant_mw": 0}))["instant"] is None


def test_a_board_that_measures_nothing_says_nothing():
    assert signals(sweep(gpu(codes=dict.fromkeys(WELL, 3)))) == ()


def test_nothing_is_claimed_of_a_lost_gpu():
    assert set(fields(gpu_in(GpuState.LOST)).values()) == {None}
