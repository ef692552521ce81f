"""Spare rows left, and repairs that wait or cannot be."""

import pytest
from tests.fakes.sweeps import gpu, gpu_in, sweep

from sickbay.core.signals import FieldValue, is_declared
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.repair import signals

BANKS: dict[str, Value] = {
    "remap_banks_max": 636,
    "remap_banks_high": 3,
    "remap_banks_partial": 1,
    "remap_banks_low": 0,
    "remap_banks_none": 0,
}
FLAGS: dict[str, Value] = dict.fromkeys(
    ("channel_repair_pending", "tpc_repair_pending", "unrepairable_memory"), 0
)
NOT_SUPPORTED, NO_PERMISSION = 3, 4


def told(seen: GpuSweep) -> dict[str, dict[str, FieldValue]]:
    made = signals(sweep(seen))
    assert all(is_declared(signal) for signal in made)
    return {signal.kind: dict(signal.fields) for signal in made}


def test_banks_are_counted_by_the_spare_rows_that_they_have_left():
    banks = told(gpu(**BANKS, **FLAGS))["row_banks"]
    assert banks == {"full": 636, "high": 3, "partial": 1, "low": 0, "none": 0}


@pytest.mark.parametrize(
    ("reading", "field"),
    [
        ("channel_repair_pending", "channel_pending"),
        ("tpc_repair_pending", "tpc_pending"),
        ("unrepairable_memory", "unrepairable_memory"),
    ],
)
def test_a_flag_is_raised_and_gone_after_the_repair(reading: str, field: str):
    flags = [told(gpu(**BANKS, **{**FLAGS, reading: n}))["repair"][field] for n in (0, 1, 0)]
    assert flags == [False, True, False]


def test_a_flag_that_cannot_be_had_disturbs_no_other():
    half = gpu(
        **BANKS,
        channel_repair_pending=1,
        tpc_repair_pending=0,
        codes={"unrepairable_memory": NOT_SUPPORTED},
    )
    assert told(half)["repair"] == {
        "channel_pending": True,
        "tpc_pending": False,
        "unrepairable_memory": None,
    }


def test_what_may_not_be_asked_is_unknown():
    refused = told(gpu(codes=dict.fromkeys((*BANKS, *FLAGS), NO_PERMISSION)))
    assert {value for fields in refused.values() for value in fields.values()} == {None}


def test_a_board_that_knows_one_of_the_two_says_one():
    assert set(told(gpu(**FLAGS, codes=dict.fromkeys(BANKS, NOT_SUPPORTED)))) == {"repair"}
    assert set(told(gpu(**BANKS, codes=dict.fromkeys(FLAGS, NOT_SUPPORTED)))) == {"row_banks"}


def test_a_board_that_knows_neither_says_nothing():
    assert told(gpu(codes=dict.fromkeys((*BANKS, *FLAGS), NOT_SUPPORTED))) == {}


def test_nothing_is_claimed_of_a_gpu_that_hangs():
    hung = told(gpu_in(GpuState.UNRESPONSIVE))
    assert {value for fields in hung.values() for value in fields.values()} == {None}
