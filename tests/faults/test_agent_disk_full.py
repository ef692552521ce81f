"""The agent's disk is full: it goes on seeing and saying, and catches up when there is room again."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.waiting import wait_until

from sickbay.core.outcomes import Verdict
from sickbay.rpc.ports import Refused


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "sickbay-test", disk],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    return filler


def test_a_full_disk_is_said_and_costs_no_detection(tmp_path: Path, small_disk: Path) -> None:
    agent = AgentProcess(tmp_path / "host", changes={"state_dir": str(small_disk / "state")})
    with agent, agent.client as client:
        filler = fill(small_disk)
        for pid in range(200):
            agent.prints(f"NVRM: Xid (PCI:0000:1b:00): 94, pid={pid}, name=python, Contained")
        wait_until(lambda: "MonitorDegraded" in agent.open_types())
        (spool,) = [monitor for monitor in agent.health().monitors if monitor.name == "spool"]
        assert "cannot be written" in spool.detail
        agent.prints()
        wait_until(lambda: "GpuFallenOffBus" in agent.open_types())
        with pytest.raises(Refused):
            client.evidence("inc-1")
        filler.unlink()
        wait_until(lambda: "MonitorDegraded" not in agent.open_types())
        wait_until(lambda: any("/kmsg/200" in event.id for event in agent.events()))
        assert client.inject("anything").verdict is Verdict.FAILED
