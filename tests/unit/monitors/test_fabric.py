"""GPUs that have joined their fabric, and those that have not."""

import pytest
from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.core.signals import FieldValue
from sickbay.host.nvml.catalogue import NOT_SUPPORTED
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.fabric import signals

HEALTHY_MASK = 0b10_10_0001_10_10_10_10  # gfm, partition, configuration none; then no to every trouble
JOINED: dict[str, Value] = {
    "fabric_state": 3,
    "fabric_status": 0,
    "fabric_clique": 0,
    "fabric_cluster": "5e1f",
    "fabric_health_summary": 1,
    "fabric_health_mask": HEALTHY_MASK,
}


def joined(pci: str = "0000:1b:00", **values: Value) -> GpuSweep:
    return gpu(pci=pci, **{**JOINED, **values})


def fields(one: GpuSweep) -> dict[str, FieldValue]:
    return dict(only(signals(sweep(one))).fields)


def test_a_gpu_joins_fails_and_joins_again():
    seen = [fields(joined(**values)) for values in ({}, {"fabric_status": 999}, {})]
    assert [one["state"] for one in seen] == ["completed"] * 3
    assert [one["status"] for one in seen] == ["SUCCESS", "UNKNOWN", "SUCCESS"]


@pytest.mark.parametrize(
    ("state", "word"), [(1, "not_started"), (2, "in_progress"), (3, "completed"), (7, "unknown_7")]
)
def test_the_state_is_told_in_a_word(state: int, word: str):
    assert fields(joined(fabric_state=state))["state"] == word


def test_status_and_clique_mean_nothing_before_the_end():
    seen = fields(joined(fabric_state=2, fabric_status=999, fabric_clique=7))
    assert (seen["status"], seen["clique"], seen["cluster"], seen["differs"]) == (None,) * 4


@pytest.mark.parametrize(
    ("number", "word"),
    [(0, None), (1, "healthy"), (2, "unhealthy"), (3, "limited_capacity"), (9, "unknown_9")],
)
def test_the_summary_is_told_in_a_word(number: int, word: str | None):
    assert fields(joined(fabric_health_summary=number))["summary"] == word


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        ("degraded_bandwidth", 0),
        ("route_recovery", 2),
        ("route_unhealthy", 4),
        ("access_timeout_recovery", 6),
        ("partition_assigned", 12),
    ],
)
def test_each_part_of_the_mask_is_yes_no_or_unknown(name: str, shift: int):
    cleared = HEALTHY_MASK & ~(0x3 << shift)
    values = [fields(joined(fabric_health_mask=cleared | part << shift))[name] for part in range(4)]
    assert values == [None, True, False, None]


def test_the_configuration_uses_four_bits_of_the_mask():
    words = [fields(joined(fabric_health_mask=part << 8))["incorrect_config"] for part in (0, 1, 5, 8, 15)]
    assert words == [None, "none", "insufficient_nvlinks", "gpu_state", "unknown_15"]


def test_a_healthy_mask_has_no_trouble_in_it():
    seen = fields(joined())
    troubles = ("degraded_bandwidth", "route_recovery", "route_unhealthy", "access_timeout_recovery")
    assert [seen[name] for name in troubles] == [False] * 4
    assert (seen["incorrect_config"], seen["health_mask"]) == ("none", HEALTHY_MASK)


def test_an_older_driver_without_a_mask_leaves_its_parts_unknown():
    codes = {"fabric_health_mask": NOT_SUPPORTED, "fabric_health_summary": NOT_SUPPORTED}
    seen = fields(gpu(codes=codes, **JOINED))
    assert (seen["state"], seen["summary"], seen["route_unhealthy"]) == ("completed", None, None)


def test_a_gpu_in_another_clique_than_most_differs():
    slots = [f"0000:{bus}:00" for bus in ("1b", "43", "52", "61")]
    three_and_one = [joined(slot, fabric_clique=int(slot == slots[1])) for slot in slots]
    assert [one.fields["differs"] for one in signals(sweep(*three_and_one))] == [False, True, False, False]
    halves = [joined(slot, fabric_cluster=cluster) for slot, cluster in zip(slots, "aabb", strict=True)]
    assert {one.fields["differs"] for one in signals(sweep(*halves))} == {None}
    assert fields(joined())["differs"] is False


def test_a_state_that_cannot_be_had_is_unknown_until_it_can():
    refused = gpu(codes={"fabric_state": 999})
    assert [fields(one)["state"] for one in (joined(), refused, joined())] == ["completed", None, "completed"]


def test_a_gpu_without_a_fabric_says_nothing():
    assert signals(sweep(joined(fabric_state=0))) == ()
    assert signals(sweep(gpu(codes={"fabric_state": NOT_SUPPORTED}))) == ()


def test_nothing_is_claimed_of_a_gpu_that_is_left_out():
    assert set(fields(gpu_in(GpuState.UNSEEN)).values()) == {None}
