"""The readings of the driver that this machine has, if it has one."""

import sys
from collections.abc import AsyncIterator

import pytest
from tests.fakes.nvml_host import Watched, watch

from sickbay.host.nvml.answers import GROUP_OF
from sickbay.host.nvml.catalogue import RETURN_CODES, UNREADABLE
from sickbay.host.nvml.readings import Knowledge

pytestmark = pytest.mark.gpu


@pytest.fixture
async def host() -> AsyncIterator[Watched]:
    watched = watch((sys.executable, "-m", "sickbay.host.nvml.worker"))
    sweep = await watched.sweep()
    if sweep.unavailable is not None or not sweep.gpus:
        await watched.client.close()
        pytest.skip(f"no NVIDIA GPU here: {sweep.unavailable}")
    yield watched
    await watched.client.close()


async def test_every_reading_is_a_value_or_a_refusal_with_a_name(host: Watched):
    sweep = await host.sweep(everything=True)
    assert sweep.complete
    for gpu in sweep.gpus:
        assert gpu.values.keys() | gpu.codes.keys() >= GROUP_OF.keys()
        assert UNREADABLE not in gpu.codes.values()
        assert set(gpu.codes.values()) <= RETURN_CODES.keys()


async def test_what_any_gpu_of_a_data_centre_tells_is_told(host: Watched):
    sweep = await host.sweep(everything=True)
    for gpu in sweep.gpus:
        for name in (
            "uuid",
            "temperature",
            "clocks_reasons",
            "pcie_width",
            "power_instant_mw",
            "memory_total",
        ):
            assert gpu.capabilities()[name].knowledge is Knowledge.VALUE, name
