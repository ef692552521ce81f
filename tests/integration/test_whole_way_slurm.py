"""A lost GPU, the whole way: real agent, real coordinator, real Slurm; the machine is simulated."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.coordinator_process import CoordinatorProcess
from tests.support.slurm_cluster import SlurmCluster
from tests.support.slurm_host import SHORT_SOAK, SlurmHost, slurm_coordinator
from tests.support.waiting import wait_until

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import Ownership
from sickbay.rpc.fleet_client import FleetClient

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(240)]

NODE = "n1"
PATIENCE = 60.0


@pytest.fixture
def coordinator(slurm_cluster: SlurmCluster, tmp_path: Path) -> Iterator[CoordinatorProcess]:
    process = slurm_coordinator(tmp_path / "coordinator", slurm_cluster, SHORT_SOAK)
    process.extra["orchestrator"] |= {"idle_look": "1s"}
    process.start()
    yield process
    process.stop()


@pytest.fixture
def host(slurm_cluster: SlurmCluster, coordinator: CoordinatorProcess, tmp_path: Path) -> Iterator[SlurmHost]:
    with SlurmHost(NODE, slurm_cluster, coordinator, tmp_path / NODE, SHORT_SOAK) as one:
        yield one


def soon(holds: Callable[[], object], coordinator: CoordinatorProcess) -> None:
    """With the coordinator's last words where it does not come."""
    try:
        wait_until(holds, patience=PATIENCE)
    except AssertionError as error:
        error.add_note(f"{coordinator.remediations()[-1:]}\n{coordinator.log()[-4000:]}")
        raise


def step(coordinator: CoordinatorProcess) -> str:
    found = coordinator.remediations()
    return found[-1]["step"] if found else ""


def test_a_job_ends_in_peace_and_then_the_node_is_rebooted_proved_and_takes_the_next_job(
    slurm_cluster: SlurmCluster,
    coordinator: CoordinatorProcess,
    host: SlurmHost,
):
    soon(host.is_well_known, coordinator)
    reboots_before = slurm_cluster.reboots.count[NODE]
    job = slurm_cluster.run_job(NODE, 6)
    lost_at = host.lose_gpu()
    soon(lambda: "DRAIN" in slurm_cluster.state(NODE), coordinator)
    assert time.time() - lost_at < 2.0
    assert slurm_cluster.reason(NODE).startswith("sickbay:inc-")
    assert slurm_cluster.job_state(job) == "RUNNING"
    slurm_cluster.wait_reboot(NODE)
    assert slurm_cluster.job_state(job) == "COMPLETED"
    host.go_down()
    host.boot()
    soon(lambda: "REBOOT" not in slurm_cluster.state(NODE), coordinator)
    # slurmd is back and would take jobs; only our proof is missing, because the agent is not up yet.
    assert "DOWN" in slurm_cluster.state(NODE)
    assert step(coordinator) == "repairing"
    next_job = int(slurm_cluster.submit(NODE, "true"))
    assert slurm_cluster.job_state(next_job) == "PENDING"
    host.agent.start()
    soon(lambda: step(coordinator) == "done", coordinator)
    slurm_cluster.wait_job(next_job, lambda state: state == "COMPLETED", timeout=PATIENCE)
    assert slurm_cluster.reboots.count[NODE] == reboots_before + 1
    passed = milestones(coordinator)
    assert passed == sorted(passed)


def milestones(coordinator: CoordinatorProcess) -> list[float]:
    """T0 to T8 of the only remediated incident, as an operator's client reads them."""
    with FleetClient(coordinator.target) as client:
        (incident,) = [one for one in client.incidents(include_closed=True) if one.remediation]
    seen = incident.milestones
    marks = [seen.t0, seen.t1, seen.t2, seen.t3, seen.t4, seen.t5, seen.t6, seen.t7, seen.t8]
    assert None not in marks, marks
    return [mark for mark in marks if mark is not None]


def test_a_node_that_a_person_drained_is_left_to_the_person_though_its_gpu_is_lost_and_comes_back(
    slurm_cluster: SlurmCluster,
    coordinator: CoordinatorProcess,
    host: SlurmHost,
):
    soon(host.is_well_known, coordinator)
    slurm_cluster.command("scontrol", "update", f"nodename={NODE}", "state=drain", "reason=new cables")
    before = slurm_cluster.reason(NODE)
    rebooted = slurm_cluster.reboots.count[NODE]
    host.lose_gpu()
    soon(lambda: stands_back(coordinator), coordinator)
    host.reboot_at_once()
    soon(lambda: nothing_is_wrong(coordinator), coordinator)
    assert "DRAIN" in slurm_cluster.state(NODE)
    assert slurm_cluster.reason(NODE) == before
    assert slurm_cluster.reboots.count[NODE] == rebooted
    assert {one["step"] for one in coordinator.remediations()} <= {"cancelled"}


def stands_back(coordinator: CoordinatorProcess) -> bool:
    """Whether the gates held us, or the scheduler's own word did when we were about to begin."""
    held = any(entry["what"] == "gates held" for entry in coordinator.ledger())
    return held or step(coordinator) == "cancelled"


def nothing_is_wrong(coordinator: CoordinatorProcess) -> bool:
    """Whether the node is back with all that it should have, still in somebody else's hands."""
    with FleetClient(coordinator.target) as client:
        seen = client.node(NodeName(NODE))
    well = seen.summary.connected and not any(condition.is_open for condition in seen.conditions)
    return well and seen.summary.ownership is Ownership.FOREIGN
