"""Errors in SRAM, which only root is told of."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.core.signals import FieldValue
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.sram import signals

COUNTS: dict[str, Value] = {
    "sram_parity_volatile": 1,
    "sram_sec_ded_volatile": 2,
    "sram_corrected_status_volatile": 3,
    "sram_parity_aggregate": 4,
    "sram_sec_ded_aggregate": 5,
    "sram_corrected_status_aggregate": 6,
    "sram_bucket_l2": 7,
    "sram_bucket_sm": 8,
    "sram_bucket_mcu": 9,
    "sram_bucket_pcie": 10,
    "sram_bucket_other": 11,
}
WELL: dict[str, Value] = {**dict.fromkeys(COUNTS, 0), "sram_threshold_exceeded": 0}


def fields(seen: GpuSweep) -> dict[str, FieldValue]:
    return dict(only(signals(sweep(seen))).fields)


def test_every_count_has_its_own_field():
    seen = fields(gpu(**COUNTS, sram_threshold_exceeded=0))
    assert seen == {
        "parity": 1,
        "sec_ded": 2,
        "corrected": 3,
        "parity_aggregate": 4,
        "sec_ded_aggregate": 5,
        "corrected_aggregate": 6,
        "l2": 7,
        "sm": 8,
        "mcu": 9,
        "pcie": 10,
        "other": 11,
        "threshold_exceeded": False,
    }


def test_the_threshold_is_passed_and_the_new_board_is_well():
    flags = [fields(gpu(**{**WELL, "sram_threshold_exceeded": n}))["threshold_exceeded"] for n in (0, 1, 0)]
    assert flags == [False, True, False]


def test_without_root_everything_is_unknown_and_never_well():
    refused = gpu(codes=dict.fromkeys(WELL, 4))
    assert set(fields(refused).values()) == {None}
    assert [fields(seen)["threshold_exceeded"] for seen in (gpu(**WELL), refused, gpu(**WELL))] == [
        False,
        None,
        False,
    ]


def test_a_driver_that_is_too_old_leaves_it_unknown():
    assert set(fields(gpu(codes=dict.fromkeys(WELL, 13))).values()) == {None}


def test_a_board_without_such_counts_says_nothing():
    assert signals(sweep(gpu(codes=dict.fromkeys(WELL, 3)))) == ()


def test_nothing_is_claimed_of_a_gpu_that_hangs():
    assert set(fields(gpu_in(GpuState.UNRESPONSIVE)).values()) == {None}
