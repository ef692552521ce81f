"""A lost GPU, the whole way through a real coordinator and a real Slurm; only the host is pretended."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.fakes.agent import GPUS, FakeAgent
from tests.fakes.clock import FakeClock
from tests.fakes.wire_agent import WireAgent
from tests.support.coordinator_process import CoordinatorProcess
from tests.support.slurm_cluster import SlurmCluster

from sickbay.core.devices import Inventory

pytestmark = pytest.mark.slurm

NODE = "n1"
PATIENCE = 60.0


@asynccontextmanager
async def fleet_of_one(
    cluster: SlurmCluster, directory: Path
) -> AsyncIterator[tuple[CoordinatorProcess, WireAgent]]:
    coordinator = CoordinatorProcess(directory)
    slurm = {"conf": str(cluster.slurm_conf), "path": cluster.env["PATH"]}
    coordinator.extra = {"orchestrator": {"kind": "slurm", "busy_look": "200ms", "slurm": slurm}}
    coordinator.start()
    try:
        agent = WireAgent(NODE, coordinator.target, Inventory(gpus=GPUS, nvml="simulated"))
        async with agent:
            await until(lambda: coordinator.knows_well(NODE), coordinator)
            yield coordinator, agent
    finally:
        coordinator.kill()


async def until(reached: Callable[[], bool], coordinator: CoordinatorProcess) -> float:
    """Seconds until it was so."""
    began = time.monotonic()
    while not reached():
        assert time.monotonic() - began < PATIENCE, coordinator.log()[-4000:]
        await asyncio.sleep(0.02)
    return time.monotonic() - began


def step(coordinator: CoordinatorProcess) -> str:
    found = coordinator.remediations()
    return found[-1]["step"] if found else ""


def lost_gpu():
    return FakeAgent(clock=FakeClock()).condition()


async def test_a_running_job_ends_in_peace_and_then_the_node_is_rebooted_proved_and_takes_a_job(
    slurm_cluster: SlurmCluster,
    tmp_path: Path,
):
    job = slurm_cluster.run_job(NODE, 4)
    async with fleet_of_one(slurm_cluster, tmp_path) as (coordinator, agent):
        agent.fails(lost_gpu())
        took = await until(lambda: "DRAIN" in slurm_cluster.state(NODE), coordinator)
        assert took < 2.0
        assert slurm_cluster.reason(NODE).startswith("sickbay:inc-")
        assert slurm_cluster.job_state(job) == "RUNNING"
        await asyncio.to_thread(slurm_cluster.wait_reboot, NODE)
        assert slurm_cluster.job_state(job) == "COMPLETED"
        await agent.go_down()
        slurm_cluster.finish_reboot(NODE)
        await until(lambda: "REBOOT" not in slurm_cluster.state(NODE), coordinator)
        assert "DOWN" in slurm_cluster.state(NODE)
        assert step(coordinator) == "repairing"
        await agent.come_up()
        await until(lambda: step(coordinator) == "done", coordinator)
        slurm_cluster.wait_state(NODE, lambda state: state == "IDLE")
        slurm_cluster.wait_job(slurm_cluster.run_job(NODE, 1), lambda state: state == "COMPLETED")


async def test_a_node_that_a_person_drained_is_neither_touched_nor_resumed(
    slurm_cluster: SlurmCluster,
    tmp_path: Path,
):
    slurm_cluster.command("scontrol", "update", f"nodename={NODE}", "state=drain", "reason=new cables")
    before = slurm_cluster.reason(NODE)
    async with fleet_of_one(slurm_cluster, tmp_path) as (coordinator, agent):
        agent.fails(lost_gpu())
        await until(lambda: any(e["what"] == "gates held" for e in coordinator.ledger()), coordinator)
        assert slurm_cluster.reason(NODE) == before
        assert coordinator.remediations() == []


async def test_a_person_who_resumes_the_node_in_mid_drain_stops_it(
    slurm_cluster: SlurmCluster, tmp_path: Path
):
    job = slurm_cluster.run_job(NODE, 30)
    async with fleet_of_one(slurm_cluster, tmp_path) as (coordinator, agent):
        agent.fails(lost_gpu())
        await until(lambda: step(coordinator) == "draining", coordinator)
        slurm_cluster.command("scontrol", "update", f"nodename={NODE}", "state=resume")
        await until(lambda: step(coordinator) == "cancelled", coordinator)
        assert "DRAIN" not in slurm_cluster.state(NODE)
        assert slurm_cluster.job_state(job) == "RUNNING"
