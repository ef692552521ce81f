"""Links between a GPU and its Grace CPU."""

from dataclasses import replace

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.core.signals import FieldValue
from sickbay.host.nvml.catalogue import NOT_SUPPORTED
from sickbay.host.nvml.readings import GpuState, GpuSweep, Value
from sickbay.monitors.c2c import signals
from sickbay.monitors.known import Known

COUNTERS = ("c2c_interrupts", "c2c_replays", "c2c_replays_back_to_back")
GRACE = Platforms(by_device={"2342": PlatformProfile(id="gh200", c2c_links=3)})


def grace(**values: Value) -> GpuSweep:
    quiet = dict.fromkeys(COUNTERS, (0, 0, 0))
    links = {"pci_device_id": "0x234210DE", "c2c_links": 3, "c2c_states": (1, 1, 1)}
    return gpu(**{**links, **quiet, **values})


def fields(now: GpuSweep, before: GpuSweep | None = None) -> dict[str, FieldValue]:
    known = Known(platforms=GRACE, previous=None if before is None else sweep(before))
    return dict(only(signals(sweep(now, after=60.0), known)).fields)


def test_a_link_goes_down_and_comes_back():
    down = [fields(grace(c2c_states=states)) for states in ((1, 1, 1), (1, 0, 1), (1, 1, 1))]
    assert [one["inactive"] for one in down] == [0, 1, 0]
    assert [one["first_inactive"] for one in down] == [-1, 1, -1]
    assert [one["missing"] for one in down] == [0, 1, 0]


def test_links_that_the_driver_does_not_list_are_missing():
    assert fields(grace(c2c_links=2, c2c_states=(1, 1)))["missing"] == 1


def test_with_a_link_unknown_none_is_said_to_be_well():
    seen = fields(grace(c2c_states=(1, None, 1)))
    assert (seen["active"], seen["inactive"], seen["missing"]) == (None, None, None)


def test_errors_are_told_as_what_is_new_with_the_worst_link():
    seen = fields(grace(c2c_replays=(0, 0, 7), c2c_interrupts=(0, 1, 0)), grace())
    assert (seen["new_replays"], seen["new_interrupts"], seen["worst_link"]) == (7, 1, 2)
    assert fields(grace(), grace())["worst_link"] == -1


def test_what_is_new_is_unknown_at_first_after_a_reset_and_for_another_gpu():
    worn = grace(c2c_replays=(9, 9, 9))
    for now, before in ((worn, None), (grace(), worn), (worn, replace(grace(), uuid="GPU-before"))):
        seen = fields(now, before)
        assert (seen["new_replays"], seen["worst_link"]) == (None, None)


def test_states_that_cannot_be_had_are_unknown_until_they_can():
    refused = replace(grace(), values={"c2c_links": 3}, codes={"c2c_states": 999})
    assert [fields(one)["inactive"] for one in (grace(), refused, grace())] == [0, None, 0]


def test_a_gpu_without_such_links_says_nothing():
    assert signals(sweep(gpu(c2c_links=0)), Known()) == ()
    assert signals(sweep(gpu(codes={"c2c_links": NOT_SUPPORTED, "c2c_states": NOT_SUPPORTED})), Known()) == ()


def test_nothing_is_claimed_of_a_gpu_that_is_left_out():
    assert set(fields(gpu_in(GpuState.UNSEEN)).values()) == {None}
