"""A real coordinator, killed with SIGKILL as soon as its store shows each step, and started again."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.agent import GPUS, FakeAgent
from tests.fakes.clock import FakeClock
from tests.fakes.wire_agent import WireAgent
from tests.support.coordinator_process import PATIENCE, CoordinatorProcess

from sickbay.core.devices import Inventory
from sickbay.core.ids import NodeName

STEPS = ("cordoning", "draining", "evidence", "repairing", "validating", "returning")

NODE = "gpu-1"


@pytest.fixture
def coordinator(tmp_path: Path):
    process = CoordinatorProcess(tmp_path)
    process.start()
    yield process
    process.kill()


def lost_gpu():
    return FakeAgent(clock=FakeClock(), node=NodeName(NODE)).condition()


def connected(coordinator: CoordinatorProcess) -> WireAgent:
    return WireAgent(NODE, coordinator.target, Inventory(gpus=GPUS, nvml="simulated"))


async def until(coordinator: CoordinatorProcess, reached: Callable[[], bool], what: str) -> None:
    """Wait for what the store or the agent shows; a coordinator that died meanwhile is told of."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"{what} did not come:\n{coordinator.log()[-4000:]}"
        assert coordinator.process is None or coordinator.process.poll() is None, coordinator.log()[-4000:]
        await asyncio.sleep(0.002)


def step_of(coordinator: CoordinatorProcess) -> str:
    found = coordinator.remediations()
    return found[-1]["step"] if found else ""


async def test_an_undisturbed_coordinator_brings_the_node_back(coordinator: CoordinatorProcess):
    async with connected(coordinator) as agent:
        await until(coordinator, lambda: coordinator.knows_well(NODE), "the agent's first full state")
        agent.fails(lost_gpu())
        await until(coordinator, lambda: step_of(coordinator) == "done", "the end")
        assert len(agent.boots) == 2
    assert (coordinator.told[0], coordinator.told[-1]) == ("cordon", "return")
    assert coordinator.stop() == 0


async def test_a_coordinator_killed_at_every_step_it_shows_does_nothing_twice(
    coordinator: CoordinatorProcess,
):
    async with connected(coordinator) as agent:
        await until(coordinator, lambda: coordinator.knows_well(NODE), "the agent's first full state")
        agent.fails(lost_gpu())
        killed: set[str] = set()
        while True:
            await until(
                coordinator, lambda: step_of(coordinator) not in killed | {""}, f"a step after {killed}"
            )
            step = step_of(coordinator)
            if step in {"done", "quarantined", "cancelled"}:
                break
            coordinator.kill()
            killed.add(step)
            coordinator.start()
        assert step == "done", coordinator.log()[-4000:]
        assert len(killed) >= 4, killed
        assert len(agent.reboots) == 1
        assert len(agent.boots) == 2
    remediations = coordinator.remediations()
    assert len(remediations) == 1
    assert remediations[0]["history"][-1]["step"] == "done"
    returned = [entry for entry in coordinator.ledger() if entry["what"] == "return done"]
    assert len(returned) == 1
    assert coordinator.told[-1] == "return"
    assert coordinator.told.count("return") <= 2  # a hook may be told again when its answer was lost


async def test_the_history_of_an_agent_is_kept_once_though_the_coordinator_was_killed(
    coordinator: CoordinatorProcess,
):
    async with connected(coordinator) as agent:
        await until(coordinator, lambda: coordinator.knows_well(NODE), "the agent's first full state")
        agent.fails(lost_gpu())
        coordinator.kill()
        coordinator.start()
        await until(coordinator, lambda: not agent.spool, "the acknowledgement")
    events = coordinator._rows("SELECT id FROM events")
    assert len(events) == len(set(events)) == 1
