"""PCIe links that are slow, narrow or failing, and those that only rest."""

from dataclasses import replace

import pytest
from tests.fakes.sweeps import PCI, gpu, gpu_in, only, sweep

from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.core.signals import FieldValue
from sickbay.host.nvml.catalogue import CLOCKS, NOT_SUPPORTED
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.known import Known
from sickbay.monitors.pcie import signals

GEN5 = {"pcie_gen": 5, "pcie_width": 16, "pcie_max_gen": 5, "pcie_max_width": 16, "pcie_gpu_max_gen": 5}
COUNTERS = ("pcie_replays", "pcie_correctable", "pcie_non_fatal", "pcie_fatal", "pcie_receiver_errors")
H100 = Platforms(by_device={"2330": PlatformProfile(id="h100", pcie_gen=5, pcie_width=16)})


def link(**values: Value) -> GpuSweep:
    return gpu(**{**GEN5, **dict.fromkeys(COUNTERS, 0), **values})


def fields(
    now: GpuSweep, before: GpuSweep | None = None, known: Known | None = None
) -> dict[str, FieldValue]:
    beside = known or Known(platforms=H100)
    if before is not None:
        beside = replace(beside, previous=sweep(before))
    return dict(only(signals(sweep(now, after=10.0), beside)).fields)


def test_a_link_is_narrow_and_wide_again():
    for width in (16, 8, 16):
        seen = fields(link(pcie_width=width))
        assert (seen["width"], seen["expected_width"]) == (width, 16)


def test_no_more_is_expected_than_the_slot_can_do():
    seen = fields(link(pcie_gen=4, pcie_max_gen=4, pcie_max_width=8))
    assert (seen["expected_generation"], seen["expected_width"]) == (4, 8)


def test_no_more_is_expected_than_the_profile_says():
    modest = Platforms(by_device={"2330": PlatformProfile(pcie_gen=4, pcie_width=8)})
    seen = fields(link(), known=Known(platforms=modest))
    assert (seen["expected_generation"], seen["expected_width"]) == (4, 8)


def test_without_a_profile_gpu_and_slot_tell_what_to_expect():
    seen = fields(link(), known=Known())
    assert (seen["expected_generation"], seen["expected_width"]) == (5, 16)


def test_where_the_slot_is_not_known_nothing_is_expected():
    seen = fields(gpu(codes={"pcie_max_gen": 999, "pcie_max_width": 999}, pcie_gen=1, pcie_width=8))
    assert (seen["expected_generation"], seen["expected_width"]) == (None, None)


@pytest.mark.parametrize(
    ("state", "reasons", "loaded"),
    [
        (0, 0x1, True),
        (8, 0x0, True),
        (8, 0x1, False),
        (2, 0x4, True),
        (None, 0x1, None),
        (8, None, None),
        (0, None, True),
        (32, 0x1, None),
    ],
)
def test_a_gpu_is_loaded_in_p0_or_at_work(state: int | None, reasons: int | None, loaded: object):
    codes = {
        name: 999
        for name, value in (("performance_state", state), ("clocks_reasons", reasons))
        if value is None
    }
    values = {"performance_state": state or 0, "clocks_reasons": reasons or 0}
    now = gpu(codes=codes, **{**GEN5, **values})
    assert fields(now)["loaded"] is loaded


def test_clocks_of_another_sweep_count():
    now = gpu(codes={"clocks_reasons": 999}, **GEN5)
    earlier = gpu(clocks_reasons=0, performance_state=0)
    assert fields(now, known=Known(latest={(CLOCKS, PCI): earlier}))["loaded"] is True
    assert fields(now, known=Known())["loaded"] is None


@pytest.mark.parametrize(
    ("generation", "width", "limit"),
    [(4, 16, 15.36), (5, 16, 30.72), (6, 16, 61.44), (1, 16, 2.4), (3, 8, 3.84)],
)
def test_the_limit_of_replays_is_nvidias(generation: int, width: int, limit: float):
    assert fields(link(pcie_gen=generation, pcie_width=width))["replay_limit"] == limit


def test_a_generation_that_nobody_knows_has_no_limit():
    assert fields(link(pcie_gen=9))["replay_limit"] is None


def test_errors_are_told_as_what_is_new():
    seen = fields(link(pcie_replays=107, pcie_fatal=1, pcie_receiver_errors=4), link(pcie_replays=100))
    assert (seen["replays"], seen["new_replays"], seen["replays_per_minute"]) == (107, 7, 42.0)
    assert (seen["new_fatal"], seen["new_receiver_errors"], seen["new_non_fatal"]) == (1, 4, 0)


def test_a_counter_that_went_back_is_unknown_and_the_others_are_not():
    seen = fields(link(pcie_replays=1, pcie_fatal=2), link(pcie_replays=100, pcie_fatal=2))
    assert (seen["replays_per_minute"], seen["new_fatal"]) == (None, 0)


def test_another_gpu_in_the_slot_begins_anew():
    seen = fields(link(pcie_fatal=5), replace(link(), uuid="GPU-before"))
    assert seen["new_fatal"] is None


def test_counters_that_cannot_be_had_are_unknown_until_they_can():
    refused = gpu(codes={"pcie_fatal": 999}, **GEN5)
    assert [fields(now, link())["new_fatal"] for now in (link(), refused, link())] == [0, None, 0]


def test_a_gpu_of_which_nothing_here_applies_says_nothing():
    names = (
        *("pcie_gen", "pcie_width", "pcie_replays", "pcie_replay_rollovers", "pcie_l0_to_recovery"),
        *("pcie_correctable", "pcie_nak_received", "pcie_receiver_errors", "pcie_bad_tlp", "pcie_nak_sent"),
        *("pcie_bad_dllp", "pcie_non_fatal", "pcie_fatal", "pcie_unsupported_requests", "pcie_lcrc"),
        "pcie_lane_errors",
    )
    assert signals(sweep(gpu(codes=dict.fromkeys(names, NOT_SUPPORTED))), Known()) == ()


def test_nothing_is_claimed_of_a_gpu_that_is_left_out():
    known = Known(platforms=H100, previous=sweep(link()), latest={(CLOCKS, PCI): link()})
    assert set(only(signals(sweep(gpu_in(GpuState.UNSEEN)), known)).fields.values()) == {None}
