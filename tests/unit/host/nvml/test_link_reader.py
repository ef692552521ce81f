"""NVLink states, from a new driver and from an old one."""

import mmap
from pathlib import Path

import pytest
from tests.fakes.driver import loaded

from sickbay.host.nvml.calls import Caller
from sickbay.host.nvml.catalogue import NVLINK_STATES
from sickbay.host.nvml.field_batch import Batches
from sickbay.host.nvml.gathering import Gathering
from sickbay.host.nvml.link_reader import LinkReader
from sickbay.host.nvml.slot import SIZE, SWEEP, Slot
from sickbay.sim.scenario import Returns
from sickbay.sim.simulated_node import create_node, inject_fault

STATES = ((NVLINK_STATES, 165),)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return create_node(tmp_path / "node").path


def test_a_driver_from_before_the_field_is_asked_link_by_link(node: Path):
    inject_fault(node, Returns(call="nvmlDeviceGetFieldValues", code=13))
    with loaded(node):
        caller, links = reader()
        for _ in range(2):
            found = Gathering({}, {})
            links.by_field(found, STATES, 18, 0)
            assert found.values == {NVLINK_STATES: [1] * 18}
        assert caller.latencies["nvmlDeviceGetFieldValues"][0] == 1
        assert caller.latencies["nvmlDeviceGetNvLinkState"][0] == 36


def test_a_gpu_that_is_lost_in_the_middle_is_asked_no_further(node: Path):
    inject_fault(node, Returns(call="nvmlDeviceGetFieldValues", code=13))
    inject_fault(node, Returns(call="nvmlDeviceGetNvLinkState", code=15))
    with loaded(node):
        caller, links = reader()
        found = Gathering({}, {})
        links.by_field(found, STATES, 18, 0)
        assert (found.lost, found.codes) == (True, {NVLINK_STATES: 15})
        assert caller.latencies["nvmlDeviceGetNvLinkState"][0] == 1


def test_every_counter_of_every_link_is_one_call(node: Path):
    with loaded(node):
        caller, links = reader()
        found = Gathering({}, {})
        links.by_field(found, (*STATES, ("nvlink_crc", 163), ("nvlink5_discards", 212)), 18, 0)
        assert found.values == {NVLINK_STATES: [1] * 18, "nvlink_crc": [0] * 18}
        assert found.codes == {"nvlink5_discards": 3}
        assert caller.latencies["nvmlDeviceGetFieldValues"][0] == 1


def reader() -> tuple[Caller, LinkReader]:
    caller = Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))
    return caller, LinkReader(caller, caller.ask("nvmlDeviceGetHandleByIndex", 0), Batches())
