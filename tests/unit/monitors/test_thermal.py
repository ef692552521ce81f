"""Temperatures, and how far they are from where something is done about them."""

import pytest
from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.core.signals import FieldValue
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.thermal import signals

ABSOLUTE: dict[str, Value] = {"slowdown_at": 87, "shutdown_at": 92, "gpu_max_at": 83, "memory_max_at": 95}
TLIMIT: dict[str, Value] = {"tlimit_slowdown": -2, "tlimit_shutdown": -8, "tlimit_gpu": 0, "tlimit_memory": 0}


def fields(seen: GpuSweep) -> dict[str, FieldValue]:
    return dict(only(signals(sweep(seen))).fields)


def test_a_gpu_gets_hot_and_cools_down_again():
    assert [fields(gpu(temperature=degrees))["gpu"] for degrees in (33, 91, 40)] == [33, 91, 40]


def test_the_thresholds_and_the_memory_stand_beside_it():
    seen = fields(gpu(**ABSOLUTE))
    assert (seen["gpu"], seen["memory"]) == (33, 41)
    assert {name: seen[name] for name in ABSOLUTE} == ABSOLUTE


def test_the_absolute_thresholds_tell_what_is_left():
    seen = fields(gpu(temperature=80, hbm_temperature=90, **ABSOLUTE))
    left = [seen[name] for name in ("margin", "slowdown_margin", "shutdown_margin", "memory_margin")]
    assert left == [3, 7, 12, 5]


def test_a_board_with_one_threshold_is_measured_by_that():
    seen = fields(gpu(temperature=80, slowdown_at=87))
    assert (seen["margin"], seen["slowdown_margin"], seen["shutdown_margin"]) == (7, 7, None)


@pytest.mark.parametrize(
    ("told", "left", "to_slowdown", "to_shutdown"), [(40, 40, 42, 48), (0, 0, 2, 8), (-3, -3, -1, 5)]
)
def test_the_drivers_own_margin_goes_before_absolute_thresholds(
    told: int, left: int, to_slowdown: int, to_shutdown: int
):
    seen = fields(gpu(temperature=86, margin=told, **ABSOLUTE, **TLIMIT))
    margins = [seen[name] for name in ("margin", "slowdown_margin", "shutdown_margin")]
    assert margins == [left, to_slowdown, to_shutdown]


def test_a_margin_without_signed_thresholds_leaves_the_absolute_ones():
    seen = fields(gpu(temperature=80, margin=5, **ABSOLUTE))
    assert (seen["margin"], seen["slowdown_margin"]) == (5, 7)


def test_without_any_threshold_nothing_is_claimed_of_what_is_left():
    names = ("slowdown_at", "shutdown_at", "gpu_max_at", "memory_max_at", "margin", "tlimit_slowdown")
    seen = fields(gpu(codes=dict.fromkeys(names, 3)))
    assert {seen[name] for name in seen if name.endswith("margin")} == {None}


def test_a_threshold_of_zero_is_none():
    seen = fields(gpu(slowdown_at=0, gpu_max_at=0, memory_max_at=0))
    assert (seen["margin"], seen["slowdown_margin"], seen["memory_margin"]) == (None, None, None)


def test_a_gpu_that_is_hotter_than_its_siblings_is_told_apart():
    heats = [33, 35, 36, 71]
    gpus = [gpu(pci=f"0000:{slot:02x}:00", slot=slot, temperature=heat) for slot, heat in enumerate(heats)]
    assert [signal.fields["above_siblings"] for signal in signals(sweep(*gpus))] == [-3, -1, 1, 36]


def test_three_gpus_are_too_few_to_compare():
    gpus = [gpu(pci=f"0000:{slot:02x}:00", slot=slot) for slot in range(3)]
    assert {signal.fields["above_siblings"] for signal in signals(sweep(*gpus))} == {None}


def test_a_temperature_that_cannot_be_had_is_unknown_until_it_can():
    states = (gpu(**ABSOLUTE), gpu(codes={"temperature": 4}, **ABSOLUTE), gpu(**ABSOLUTE))
    seen = [fields(state) for state in states]
    assert [each["gpu"] for each in seen] == [33, None, 33]
    assert [each["margin"] for each in seen] == [50, None, 50]


def test_a_gpu_that_is_left_out_has_no_temperature_and_no_claim_of_one():
    assert set(fields(gpu_in(GpuState.UNSEEN)).values()) == {None}


def test_memory_at_zero_degrees_is_a_board_that_cannot_tell():
    assert fields(gpu(hbm_temperature=0))["memory"] is None


def test_a_gpu_that_was_missed_for_another_says_nothing():
    assert signals(sweep(gpu_in(GpuState.MISSED))) == ()


def test_a_gpu_without_a_sensor_says_nothing():
    assert signals(sweep(gpu(codes={"temperature": 3, "hbm_temperature": 3}))) == ()
