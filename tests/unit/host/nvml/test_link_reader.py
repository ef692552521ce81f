"""NVLink states, from a new driver and from an old one."""

import mmap
from pathlib import Path

import pytest
from tests.fakes.driver import loaded

from sickbay.host.nvml.calls import Caller
from sickbay.host.nvml.link_reader import LinkReader
from sickbay.host.nvml.slot import SIZE, SWEEP, Slot
from sickbay.sim.scenario import Returns
from sickbay.sim.simulated_node import create_node, inject_fault


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return create_node(tmp_path / "node").path


def test_a_driver_from_before_the_field_is_asked_link_by_link(node: Path):
    inject_fault(node, Returns(call="nvmlDeviceGetFieldValues", code=13))
    with loaded(node):
        caller = Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))
        links = LinkReader(caller, caller.ask("nvmlDeviceGetHandleByIndex", 0), 18)
        assert links.read(0) == [(0, 1)] * 18
        assert links.read(0) == [(0, 1)] * 18
        assert caller.latencies["nvmlDeviceGetFieldValues"][0] == 1
        assert caller.latencies["nvmlDeviceGetNvLinkState"][0] == 36


def test_a_gpu_that_is_lost_in_the_middle_is_asked_no_further(node: Path):
    inject_fault(node, Returns(call="nvmlDeviceGetFieldValues", code=13))
    inject_fault(node, Returns(call="nvmlDeviceGetNvLinkState", code=15))
    with loaded(node):
        caller = Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))
        links = LinkReader(caller, caller.ask("nvmlDeviceGetHandleByIndex", 0), 18)
        assert links.read(0) == [(15, 0)] * 18
        assert caller.latencies["nvmlDeviceGetNvLinkState"][0] == 1
