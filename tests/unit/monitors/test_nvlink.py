"""NVLinks that are up, those that are not, and what there should be."""

from dataclasses import replace

from tests.fakes.sweeps import PCI, UUID, gpu, gpu_in, only, sweep

from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.core.signals import Signal
from sickbay.host.nvml.catalogue import MODES, NVLINK_PEERS
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.known import Known
from sickbay.monitors.nvlink import signals

H100 = Platforms(by_device={"2330": PlatformProfile(id="h100", nvlinks=3, nvlink_version=6)})


def signal(one: GpuSweep, known: Known | None = None) -> Signal:
    return only(signals(sweep(one), known or Known()))


def counts(*states: int | None) -> dict[str, object]:
    fields = signal(gpu(nvlink_states=states)).fields
    return {name: fields[name] for name in ("links", "active", "inactive", "first_inactive")}


def expected(*states: int | None, known: Known | None = None, **values: Value) -> dict[str, object]:
    return dict(signal(gpu(nvlink_states=states, **values), known or Known(platforms=H100)).fields)


def test_a_link_goes_down_and_comes_back():
    assert counts(1, 1, 1) == {"links": 3, "active": 3, "inactive": 0, "first_inactive": -1}
    assert counts(1, 0, 1) == {"links": 3, "active": 2, "inactive": 1, "first_inactive": 1}
    assert counts(1, 1, 1)["inactive"] == 0


def test_a_sleeping_link_is_well_and_one_without_traffic_is_down():
    assert counts(2, 1)["inactive"] == 0
    assert counts(3, 1) == {"links": 2, "active": 1, "inactive": 1, "first_inactive": 0}
    assert expected(3, 1, 0)["without_traffic"] == 1


def test_with_a_link_unknown_none_is_said_to_be_well():
    assert counts(1, None) == {"links": 2, "active": None, "inactive": None, "first_inactive": None}
    assert expected(1, None)["missing"] is None


def test_a_link_that_is_down_stays_down_beside_an_unknown_one():
    assert counts(0, None) == {"links": 2, "active": None, "inactive": 1, "first_inactive": 0}
    assert expected(3, None)["without_traffic"] == 1


def test_states_that_cannot_be_had_are_unknown_until_they_can():
    states = (gpu(), gpu(codes={"nvlink_states": 999}), gpu())
    assert [signal(state).fields["inactive"] for state in states] == [0, None, 0]


def test_a_gpu_without_links_says_nothing():
    assert signals(sweep(gpu(nvlink_states=())), Known()) == ()
    assert signals(sweep(gpu(codes={"nvlink_states": 3})), Known()) == ()


def test_nothing_is_claimed_of_a_gpu_that_is_left_out():
    assert set(signal(gpu_in(GpuState.UNSEEN), Known(platforms=H100)).fields.values()) == {None}


def test_links_that_the_board_should_have_and_the_driver_does_not_list_are_missing():
    assert (expected(1, 1, 1)["missing"], expected(1, 1)["missing"], expected()["missing"]) == (0, 1, 3)


def test_without_a_profile_nothing_is_missing():
    fields = expected(1, 1, known=Known())
    assert (fields["expected_links"], fields["missing"]) == (None, None)


def test_a_lower_version_than_the_profile_says_is_told():
    fields = expected(1, 1, 1, nvlink_version=5)
    assert (fields["version"], fields["expected_version"]) == (5, 6)


def test_without_a_profile_the_version_of_the_gpus_alike_is_expected():
    other = gpu(pci="0000:43:00", nvlink_version=7)
    unlike = gpu(pci="0000:52:00", nvlink_version=8, pci_device_id="0x20B010DE")
    found = signals(sweep(gpu(nvlink_version=6), other, unlike), Known())
    assert [each.fields["expected_version"] for each in found] == [7, 7, 8]


def test_the_slowest_link_that_is_up_is_named_beside_the_highest_speed_of_the_gpus_alike():
    slow = gpu(nvlink_states=(1, 1, 0), nvlink_speeds_mbps=(26562, 13281, 0))
    other = gpu(pci="0000:43:00", nvlink_states=(1, 1, 1), nvlink_speeds_mbps=(26562,) * 3)
    first, second = signals(sweep(slow, other), Known())
    names = ("slowest_link", "slowest_speed", "expected_speed")
    assert [first.fields[name] for name in names] == [1, 13281, 26562]
    assert [second.fields[name] for name in names] == [0, 26562, 26562]


def test_speeds_of_an_earlier_sweep_count_while_the_same_gpu_is_in_the_slot():
    earlier = gpu(nvlink_speeds_mbps=(26562,))
    known = Known(latest={(NVLINK_PEERS, PCI): earlier})
    assert expected(1, known=known)["slowest_speed"] == 26562
    replaced = Known(latest={(NVLINK_PEERS, PCI): replace(earlier, uuid="GPU-other")})
    assert expected(1, known=replaced)["slowest_speed"] is None


def test_a_gpu_that_is_split_says_so_where_the_modes_were_read_before():
    split = Known(latest={(MODES, PCI): gpu(mig_mode=1)})
    assert [expected(0, known=known)["in_mig"] for known in (split, Known())] == [True, False]
    assert gpu().uuid == UUID
