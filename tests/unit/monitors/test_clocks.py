"""Clock event reasons, at the instant of a sweep and since the one before."""

import pytest
from tests.fakes.sweeps import PCI, gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState, GpuSweep
from sickbay.monitors.clocks import signals

COUNTERS = {
    "hw_power_brake_share": "hw_power_brake_ns",
    "hw_thermal_share": "hw_thermal_ns",
    "sw_thermal_share": "sw_thermal_ns",
    "sw_power_cap_share": "policy_power_ns",
    "sync_boost_share": "policy_sync_boost_ns",
    "thermal_share": "policy_thermal_ns",
}
COUNTED = dict.fromkeys(COUNTERS.values(), 5_000_000_000)
UNCOUNTED = dict.fromkeys(COUNTERS.values(), 3)


def shares(before: GpuSweep, now: GpuSweep, *, seconds: float = 10.0) -> dict[str, object]:
    fields = only(signals(sweep(now, after=seconds), sweep(before))).fields
    return {name: value for name, value in fields.items() if name.endswith("_share")}


def test_the_power_brake_is_asserted_and_released():
    brakes = [
        only(signals(sweep(gpu(clocks_reasons=bits)))).fields["hw_power_brake"] for bits in (1, 0x88, 0)
    ]
    assert brakes == [False, True, False]


@pytest.mark.parametrize(
    ("name", "bit"),
    [
        ("idle", 0x1),
        ("applications_clocks", 0x2),
        ("sw_power_cap", 0x4),
        ("hw_slowdown", 0x8),
        ("sync_boost", 0x10),
        ("sw_thermal", 0x20),
        ("hw_thermal", 0x40),
        ("hw_power_brake", 0x80),
    ],
)
def test_every_bit_has_its_own_field(name: str, bit: int):
    fields = only(signals(sweep(gpu(clocks_reasons=bit)))).fields
    assert [field for field, value in fields.items() if value is True] == [name]


@pytest.mark.parametrize(("share", "counter"), COUNTERS.items())
def test_a_reason_that_came_and_went_between_two_sweeps_is_a_share_of_the_time(share: str, counter: str):
    then, now = gpu(clocks_reasons=0, **COUNTED), {**COUNTED, counter: 7_500_000_000}
    seen = shares(then, gpu(clocks_reasons=0, **now))
    assert seen == {**dict.fromkeys(COUNTERS, 0.0), share: 0.25}


def test_a_share_is_unknown_until_two_sweeps_have_counted():
    first = only(signals(sweep(gpu(clocks_reasons=0, **COUNTED)))).fields
    assert {first[name] for name in COUNTERS} == {None}


def test_a_counter_that_went_back_gives_no_share():
    assert set(shares(gpu(**COUNTED), gpu(**dict.fromkeys(COUNTED, 1))).values()) == {None}


def test_another_gpu_in_the_slot_gives_no_share():
    other = GpuSweep(pci=PCI, slot=0, state=GpuState.READ, values={**COUNTED}, uuid="GPU-new")
    assert set(shares(gpu(**COUNTED), other).values()) == {None}


def test_a_counter_that_runs_a_little_ahead_of_the_clock_is_the_whole_time():
    late = dict.fromkeys(COUNTED, 15_400_000_000)
    assert set(shares(gpu(**COUNTED), gpu(**late)).values()) == {1.0}


def test_a_counter_that_cannot_be_one_of_nanoseconds_gives_no_share():
    assert set(shares(gpu(**COUNTED), gpu(**dict.fromkeys(COUNTED, 10**15))).values()) == {None}


def test_of_a_driver_without_counters_a_share_is_what_the_bit_says():
    brakes = [
        shares(gpu(codes=UNCOUNTED), gpu(codes=UNCOUNTED, clocks_reasons=bits))["hw_power_brake_share"]
        for bits in (0, 0x80, 0)
    ]
    assert brakes == [0.0, 1.0, 0.0]


def test_heat_is_either_of_its_two_bits_where_nothing_is_counted():
    heat = [
        shares(gpu(), gpu(codes=UNCOUNTED, clocks_reasons=bits))["thermal_share"] for bits in (0x20, 0x40)
    ]
    assert heat == [1.0, 1.0]


def test_the_performance_state_is_told_and_its_unknown_is_unknown():
    states = [
        only(signals(sweep(gpu(performance_state=state)))).fields["performance_state"] for state in (0, 8, 32)
    ]
    assert states == [0, 8, None]


def test_reasons_that_cannot_be_had_are_unknown_until_they_can():
    states = (gpu(), gpu(codes={"clocks_reasons": 13}), gpu())
    brakes = [only(signals(sweep(state))).fields["hw_power_brake"] for state in states]
    assert brakes == [False, None, False]


def test_a_lost_gpu_has_no_reasons():
    lost = only(signals(sweep(gpu_in(GpuState.LOST)), sweep(gpu(**COUNTED))))
    assert set(lost.fields.values()) == {None}


def test_a_gpu_without_reasons_says_nothing():
    assert signals(sweep(gpu(codes={"clocks_reasons": 3}))) == ()
