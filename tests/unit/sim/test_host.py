import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.waiting import until

from sickbay.host.clock import SystemClock
from sickbay.sim.host import HostSettings, Power, SimulatedHost, reboot_command
from sickbay.sim.scenario import Lost
from sickbay.sim.simulated_node import create_node, inject_fault

AGENT = (sys.executable, "-c", "import time; print('agent', flush=True); time.sleep(60)")


@pytest.fixture
async def host(tmp_path: Path):
    create_node(tmp_path / "node")
    settings = HostSettings(folder=tmp_path / "node", agent=AGENT, log=tmp_path / "log", boot=0.05)
    host = SimulatedHost(settings, SystemClock())
    host.switch_on()
    life = asyncio.create_task(host.run())
    yield host
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    await host.stop()


async def test_a_reboot_that_was_asked_for_gives_a_new_boot_and_starts_the_agent_again(
    host: SimulatedHost, tmp_path: Path
):
    node = tmp_path / "node"
    before = (node / "boot_id").read_text()
    inject_fault(node, Lost(gpu=3))
    assert (node / "kmsg").read_bytes()

    await asyncio.to_thread(subprocess.run, reboot_command(node), check=True)
    await until(lambda: host.reboots == 1 and host.power is Power.UP)

    assert (node / "boot_id").read_text() != before
    assert not (node / "kmsg").read_bytes(), "the kernel log of the boot before is gone"
    await until(lambda: (tmp_path / "log").read_text().count("agent") == 2)
    assert host.agent_exit is None


async def test_one_request_is_one_reboot(host: SimulatedHost, tmp_path: Path):
    await asyncio.to_thread(subprocess.run, reboot_command(tmp_path / "node"), check=True)
    await until(lambda: host.reboots == 1)
    boot = (tmp_path / "node" / "boot_id").read_text()
    await asyncio.sleep(0.2)
    assert (host.reboots, (tmp_path / "node" / "boot_id").read_text()) == (1, boot)


async def test_an_agent_that_ends_by_itself_is_seen(tmp_path: Path):
    create_node(tmp_path / "node")
    argv = (sys.executable, "-c", "raise SystemExit(3)")
    settings = HostSettings(folder=tmp_path / "node", agent=argv, log=tmp_path / "log")
    host = SimulatedHost(settings, SystemClock())
    assert host.agent_exit is None
    host.switch_on()
    await until(lambda: host.agent_exit == 3)
    await host.stop()
