"""Conditions of heat, clocks and power, from readings through monitor and rules: how each comes and goes."""

import pytest
from tests.fakes.sweeps import gpu, sweep
from tests.support.gpu_story import NOT_SUPPORTED, Illness, Story

from sickbay.core.conditions import Mode
from sickbay.host.nvml.answers import GROUP_OF
from sickbay.monitors import clocks, power, thermal

MINUTES = 60.0
LIMITS = {"power_limit_mw": 700_000, "power_default_limit_mw": 700_000, "power_instant_mw": 650_000}
ABSOLUTE = {"slowdown_at": 87, "memory_max_at": 95, "temperature": 60, "hbm_temperature": 70}
TLIMIT = {"margin": 30, "tlimit_slowdown": -2, "temperature": 60}


def of_bits(type_: str, bits: int, *, holds: float = 90.0) -> Illness:
    """A driver without counters: the bits are all there is."""
    return Illness(
        type=type_,
        judge=clocks.signals,
        well={"clocks_reasons": 0},
        ill={"clocks_reasons": bits},
        holds=holds,
    )


def of_counter(type_: str, counter: str, *, holds: float = 90.0) -> Illness:
    """A brake that is off whenever one looks, and on for a third of the time."""
    return Illness(
        type=type_,
        judge=clocks.signals,
        well={"clocks_reasons": 0},
        grows={counter: 333_000_000},
        holds=holds,
    )


def of_heat(type_: str, well: dict[str, int], **ill: int) -> Illness:
    return Illness(
        type=type_, judge=lambda seen, _before: thermal.signals(seen), well=well, ill=ill, holds=90.0
    )


ILLNESSES = [
    of_bits("GpuPowerBrake", 0x88),
    of_counter("GpuPowerBrake", "hw_power_brake_ns"),
    of_bits("GpuThermalSlowdown", 0x48),
    of_counter("GpuThermalSlowdown", "hw_thermal_ns"),
    of_bits("GpuThermalLimit", 0x20, holds=660.0),
    of_counter("GpuThermalLimit", "sw_thermal_ns", holds=660.0),
    of_heat("GpuTooHot", ABSOLUTE, temperature=87),
    of_heat("GpuTooHot", TLIMIT, margin=-2),
    of_heat("GpuMemoryTooHot", ABSOLUTE, hbm_temperature=95),
    Illness(
        type="GpuPowerLimitLowered",
        judge=lambda seen, _before: power.signals(seen),
        well=LIMITS,
        ill={"power_limit_mw": 400_000},
        holds=660.0,
    ),
]
EACH = pytest.mark.parametrize(
    "illness", ILLNESSES, ids=lambda illness: f"{illness.type}-{'-'.join(illness.grows or illness.ill)}"
)


@EACH
def test_a_gpu_goes_from_well_to_ill_to_well(illness: Illness) -> None:
    story = Story(illness=illness)
    assert story.well(10 * MINUTES) == set()
    assert story.ill(illness.holds) == {illness.type}
    assert story.well(illness.heals) == set()


@EACH
def test_a_gpu_goes_from_well_to_unknown_to_well_without_a_condition(illness: Illness) -> None:
    story = Story(illness=illness)
    assert story.well(10 * MINUTES) == set()
    assert story.unknown(60 * MINUTES) == set()
    assert story.well(10 * MINUTES) == set()


@EACH
def test_what_turns_unknown_leaves_its_condition_until_it_is_known_to_be_well(illness: Illness) -> None:
    story = Story(illness=illness)
    story.ill(illness.holds + 60)
    assert story.unknown(60 * MINUTES) == {illness.type}
    assert story.well(illness.heals) == set()


@EACH
def test_one_ill_reading_is_not_enough(illness: Illness) -> None:
    story = Story(illness=illness)
    story.well(10 * MINUTES)
    assert story.ill(illness.every) == set()
    assert story.well(10 * MINUTES) == set()


@EACH
def test_heat_and_power_are_shown_and_never_acted_on(illness: Illness) -> None:
    story = Story(illness=illness)
    story.ill(illness.holds + 60)
    assert story.condition.mode is Mode.OBSERVE


@EACH
def test_what_does_not_apply_to_a_board_makes_no_signal(illness: Illness) -> None:
    assert illness.judge(sweep(gpu(codes=dict.fromkeys(GROUP_OF, NOT_SUPPORTED))), None) == ()


def test_a_brake_for_a_hundredth_of_the_time_is_no_news() -> None:
    brief = Illness(
        type="GpuPowerBrake",
        judge=clocks.signals,
        well={"clocks_reasons": 0},
        grows={"hw_power_brake_ns": 10_000_000},
    )
    assert Story(illness=brief).ill(60 * MINUTES) == set()


def test_a_power_cap_under_load_all_day_is_no_fault() -> None:
    capped = Illness(
        type="",
        judge=clocks.signals,
        ill={"clocks_reasons": 0x4},
        grows={"policy_power_ns": 1_000_000_000},
    )
    assert Story(illness=capped).ill(24 * 60 * MINUTES) == set()


def test_a_few_degrees_below_the_threshold_is_not_cool_yet() -> None:
    story = Story(illness=of_heat("GpuTooHot", ABSOLUTE, temperature=87))
    story.ill(90)
    story.illness = of_heat("GpuTooHot", ABSOLUTE, temperature=84)
    assert story.ill(60 * MINUTES) == {"GpuTooHot"}
    story.illness = of_heat("GpuTooHot", ABSOLUTE, temperature=82)
    assert story.ill(10 * MINUTES) == set()


def test_power_that_cannot_be_read_accuses_nobody() -> None:
    unreadable = Illness(
        type="",
        judge=lambda seen, _before: power.signals(seen),
        well=LIMITS,
        ill={"power_instant_mw": 0},
    )
    assert Story(illness=unreadable).ill(60 * MINUTES) == set()
