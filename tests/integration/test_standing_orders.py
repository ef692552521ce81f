"""What people say of a fleet, by real commands to a real coordinator that is killed in between."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.agent import GPUS, FakeAgent
from tests.fakes.clock import FakeClock
from tests.fakes.wire_agent import WireAgent
from tests.support.coordinator_process import PATIENCE, CoordinatorProcess

from sickbay.core.devices import Inventory
from sickbay.core.ids import NodeName

NODE = "gpu-1"


@pytest.fixture
def coordinator(tmp_path: Path) -> Iterator[CoordinatorProcess]:
    process = CoordinatorProcess(tmp_path, extra={"approvals": {"above": "reboot"}})
    process.start()
    yield process
    process.kill()


def typed(coordinator: CoordinatorProcess, *words: str) -> str:
    """What a command says; its own words where it fails."""
    argv = [sys.executable, "-m", "sickbay.cli.main", *words, "--coordinator", coordinator.target]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def until(coordinator: CoordinatorProcess, reached: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"{what} did not come:\n{coordinator.log()[-4000:]}"
        await asyncio.sleep(0.02)


async def test_a_pause_outlives_the_coordinator_and_its_backlog_waits_to_be_seen_or_approved(
    coordinator: CoordinatorProcess,
):
    fault = FakeAgent(clock=FakeClock(), node=NodeName(NODE)).condition()
    agent = WireAgent(NODE, coordinator.target, Inventory(gpus=GPUS, nvml="simulated"))
    async with agent:
        await until(coordinator, lambda: coordinator.knows_well(NODE), "the agent's first full state")
        await asyncio.to_thread(typed, coordinator, "pause", "fleet", "--reason", "driver roll-out")
        coordinator.kill()
        coordinator.start()
        await until(coordinator, lambda: agent.is_connected, "the agent")
        agent.fails(fault)
        await until(coordinator, lambda: _held_by(coordinator) == ["pause"], "the pause")
        await asyncio.to_thread(typed, coordinator, "resume", "fleet", "--yes")
        await until(coordinator, lambda: _held_by(coordinator) == ["freshness"], "the backlog")
        assert coordinator.told == []
        (incident,) = json.loads(await asyncio.to_thread(typed, coordinator, "incidents", "-o", "json"))
        said = await asyncio.to_thread(typed, coordinator, "approve", incident["id"], "--yes")
        assert "approved: reboot" in said
        await until(coordinator, lambda: coordinator.told[-1:] == ["return"], "the way back")
        assert len(agent.boots) == 2
    assert {"pause", "pause ended", "approved"} <= {entry["what"] for entry in coordinator.ledger()}


def _held_by(coordinator: CoordinatorProcess) -> list[str]:
    """The gates that hold the only incident, as the ledger tells it."""
    said = [entry for entry in coordinator.ledger() if entry["what"].startswith("gates")]
    return [part.split(":")[0] for part in said[-1]["why"].split("; ")] if said else []
