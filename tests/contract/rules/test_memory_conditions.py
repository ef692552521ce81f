"""Conditions of a GPU's memory, from readings through monitor and rules: how each comes and goes."""

import pytest
from tests.fakes.sweeps import gpu, sweep
from tests.support.gpu_story import NO_PERMISSION, NOT_SUPPORTED, Illness, Story

from sickbay.core.conditions import Mode, Severity
from sickbay.host.nvml.answers import GROUP_OF
from sickbay.monitors import ecc, repair, retired_pages, row_remap, sram

HISTOGRAM = {
    "remap_banks_max": 640,
    **dict.fromkeys(map("remap_banks_{}".format, ("high", "partial", "low")), 0),
}
REPAIRS = dict.fromkeys(("channel_repair_pending", "tpc_repair_pending", "unrepairable_memory"), 0)
PAGES = {"retired_single": 4, "retired_double": 1, "retired_pending": 0}
REMAPS = {"remapped_correctable": 0, "remapped_uncorrectable": 0, "remap_pending": 0, "remap_failure": 0}
MINUTES = 60.0

RATE = Illness(type="GpuCorrectedEccRate", judge=ecc.signals, grows={"ecc_corrected_volatile": 17_000})
UNCORRECTED = Illness(
    type="GpuUncorrectedEcc",
    judge=ecc.signals,
    grows={"ecc_uncorrected_volatile": 1},
    holds=20.0,
    heals=3700.0,
)
SRAM = Illness(
    type="GpuSramThreshold",
    judge=lambda seen, _before: sram.signals(seen),
    well={"sram_threshold_exceeded": 0},
    ill={"sram_threshold_exceeded": 1},
    every=60.0,
    holds=180.0,
)


def of_remaps(type_: str, **ill: int) -> Illness:
    return Illness(type=type_, judge=lambda seen, _before: row_remap.signals(seen), well=REMAPS, ill=ill)


def of_repairs(type_: str, **ill: int) -> Illness:
    return Illness(
        type=type_,
        judge=lambda seen, _before: repair.signals(seen),
        well={**HISTOGRAM, "remap_banks_none": 0, **REPAIRS},
        ill=ill,
        every=60.0,
        holds=180.0,
    )


def of_pages(type_: str, **ill: int) -> Illness:
    return Illness(
        type=type_,
        judge=lambda seen, _before: retired_pages.signals(seen),
        well=PAGES,
        ill=ill,
        every=60.0,
        holds=180.0,
    )


ILLNESSES = [
    RATE,
    UNCORRECTED,
    SRAM,
    of_remaps("GpuRowRemapPending", remap_pending=1),
    of_remaps("GpuRowRemapFailure", remap_failure=1),
    of_remaps("GpuRowRemapsNearLimit", remapped_uncorrectable=448),
    of_repairs("GpuSpareRowsUsedUp", remap_banks_none=1),
    of_repairs("GpuRepairPending", channel_repair_pending=1),
    of_repairs("GpuRepairPending", tpc_repair_pending=1),
    of_repairs("GpuMemoryUnrepairable", unrepairable_memory=1),
    of_pages("GpuPageRetirementPending", retired_pending=1),
    of_pages("GpuRetiredPagesLimit", retired_single=60, retired_double=3),
    of_pages("GpuRetiredPagesLimit", retired_double=16),
]
EACH = pytest.mark.parametrize("illness", ILLNESSES, ids=lambda illness: illness.type)


@EACH
def test_memory_goes_from_well_to_ill_to_well(illness: Illness) -> None:
    story = Story(illness=illness)
    assert story.well(10 * MINUTES) == set()
    assert story.ill(illness.holds) == {illness.type}
    assert story.well(illness.heals) == set()


@EACH
def test_memory_goes_from_well_to_unknown_to_well_without_a_condition(illness: Illness) -> None:
    story = Story(illness=illness)
    assert story.well(10 * MINUTES) == set()
    assert story.unknown(60 * MINUTES) == set()
    assert story.well(10 * MINUTES) == set()


@EACH
def test_what_turns_unknown_leaves_its_condition_until_it_is_known_to_be_well(illness: Illness) -> None:
    story = Story(illness=illness)
    story.ill(illness.holds + 60)
    assert story.unknown(2 * 60 * MINUTES) == {illness.type}
    assert story.well(illness.heals) == set()


@EACH
def test_what_does_not_apply_to_a_board_makes_no_signal(illness: Illness) -> None:
    assert illness.judge(sweep(gpu(codes=dict.fromkeys(GROUP_OF, NOT_SUPPORTED))), None) == ()


@EACH
def test_one_ill_reading_is_not_enough_unless_a_counter_proves_it(illness: Illness) -> None:
    story = Story(illness=illness)
    story.well(10 * MINUTES)
    told = story.ill(illness.every)
    assert told == ({illness.type} if illness is UNCORRECTED else set())


def test_corrected_errors_come_fast_or_slowly_and_between_the_two_nothing_changes() -> None:
    def at(rate: int) -> Illness:
        return Illness(type=RATE.type, judge=RATE.judge, grows={"ecc_corrected_volatile": rate})

    story = Story(illness=at(9))
    assert story.ill(60 * MINUTES) == set()
    story.illness = at(10)
    assert story.ill(2 * MINUTES) == {RATE.type}
    story.illness = at(2)
    assert story.ill(60 * MINUTES) == {RATE.type}
    story.illness = at(0)
    assert story.ill(11 * MINUTES) == set()


def test_a_reset_that_sets_the_counters_back_is_no_new_error() -> None:
    story = Story(illness=UNCORRECTED)
    story.ill(60)
    story.well(UNCORRECTED.heals)
    story.counters.clear()
    assert story.well(10 * MINUTES) == set()


def test_without_root_the_sram_threshold_is_unknown_and_never_well() -> None:
    story = Story(illness=SRAM)
    assert story.ill(SRAM.holds) == {SRAM.type}
    assert story.unknown(24 * 60 * MINUTES, NO_PERMISSION) == {SRAM.type}


@pytest.mark.parametrize(
    ("illness", "severity", "remedy"),
    [
        (SRAM, Severity.CRITICAL, "quarantine"),
        (of_repairs("GpuMemoryUnrepairable", unrepairable_memory=1), Severity.CRITICAL, "quarantine"),
        (of_repairs("GpuRepairPending", tpc_repair_pending=1), Severity.WARNING, "drain-and-reset-gpu"),
        (RATE, Severity.WARNING, "none"),
        (of_repairs("GpuSpareRowsUsedUp", remap_banks_none=1), Severity.INFO, "none"),
        (of_remaps("GpuRowRemapsNearLimit", remapped_correctable=448), Severity.INFO, "none"),
    ],
    ids=lambda value: getattr(value, "type", None),
)
def test_new_conditions_of_memory_only_observe(illness: Illness, severity: Severity, remedy: str) -> None:
    story = Story(illness=illness)
    story.ill(illness.holds)
    condition = story.condition
    assert (condition.severity, condition.remedy, condition.mode) == (severity, remedy, Mode.OBSERVE)
