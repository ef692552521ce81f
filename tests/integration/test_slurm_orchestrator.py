"""The Slurm adapter on a real Slurm: what no other scheduler does, and what 22.05 was seen to do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.slurm_cluster import SlurmCluster
from tests.support.slurm_fixture import require_slurm
from tests.support.slurm_layout import SlurmOptions

from sickbay.core.ids import ActionId, IncidentId, NodeName, RuleId
from sickbay.core.orchestration import Mark, NodeObservation, Ownership, RebootProgress
from sickbay.core.outcomes import Verdict
from sickbay.core.remedies import Drain
from sickbay.host.clock import SystemClock
from sickbay.host.commands import SystemCommands
from sickbay.orchestrators.slurm import Slurm
from sickbay.orchestrators.slurm_client import SlurmSettings
from sickbay.orchestrators.slurm_text import expand

pytestmark = pytest.mark.slurm

NODE = NodeName("n1")
OURS = "sickbay:inc-1:gpu-lost"


def mark(action: str = "a") -> Mark:
    return Mark(incident=IncidentId("inc-1"), rule=RuleId("gpu-lost"), action_id=ActionId(action))


def slurm(cluster: SlurmCluster, **settings: object) -> Slurm:
    chosen = {"conf": str(cluster.slurm_conf), "path": cluster.env["PATH"]} | settings
    return Slurm(settings=SlurmSettings(**chosen), commands=SystemCommands(), clock=SystemClock())


async def observed(
    orchestrator: Slurm, wanted: Callable[[NodeObservation], bool], *, seconds: float = 30
) -> NodeObservation:
    seen = await orchestrator.observe(NODE)
    async with asyncio.timeout(seconds):
        while not wanted(seen):
            await asyncio.sleep(0.05)
            seen = await orchestrator.observe(NODE)
    return seen


async def returned(orchestrator: Slurm) -> None:
    async with asyncio.timeout(150):
        while (await orchestrator.return_to_service(NODE, mark())).verdict is not Verdict.DONE:
            await asyncio.sleep(0.05)


async def scontrol(cluster: SlurmCluster, *arguments: str) -> str:
    return await asyncio.to_thread(cluster.command, "scontrol", *arguments)


@asynccontextmanager
async def own_cluster(options: SlurmOptions) -> AsyncIterator[SlurmCluster]:
    """A cluster of one node with settings that the shared one does not have."""
    require_slurm()
    cluster = SlurmCluster(names=("n1",), options=options)
    await asyncio.to_thread(cluster.start)
    try:
        yield cluster
    finally:
        await asyncio.to_thread(cluster.stop)


async def test_the_whole_way_from_a_running_job_to_the_next_one(slurm_cluster: SlurmCluster):
    orchestrator = slurm(slurm_cluster)
    job = await asyncio.to_thread(slurm_cluster.run_job, NODE, 2)
    assert (await orchestrator.drain(NODE, mark(), Drain())).verdict is Verdict.DONE
    draining = await orchestrator.observe(NODE)
    assert (draining.state, draining.reason.split()[0]) == ("MIXED+DRAIN", OURS)
    assert [each.id for each in draining.jobs or ()] == [str(job)]
    assert slurm_cluster.job_state(job) == "RUNNING"

    drained = await observed(orchestrator, lambda node: node.drained is True)
    assert drained.state == "IDLE+DRAIN"
    assert slurm_cluster.job_state(job) == "COMPLETED"

    assert (await orchestrator.reboot(NODE, mark("boot"))).verdict is Verdict.DONE
    await asyncio.to_thread(slurm_cluster.wait_reboot, NODE)
    going_down = await orchestrator.observe(NODE)
    assert going_down.state == "DOWN+DRAIN+REBOOT_ISSUED"
    assert going_down.ownership is Ownership.OURS

    await asyncio.to_thread(slurm_cluster.finish_reboot, NODE)
    booted = await observed(orchestrator, lambda node: node.reboot is RebootProgress.COMPLETE)
    assert (booted.state, booted.schedulable, booted.ownership) == ("DOWN", False, Ownership.OURS)

    assert (await orchestrator.cordon(NODE, mark())).verdict is Verdict.DONE
    held = await orchestrator.observe(NODE)
    assert (held.state, held.drained) == ("DOWN+DRAIN", True)

    await returned(orchestrator)
    back = await orchestrator.observe(NODE)
    assert (back.state, back.reason, back.ownership) == ("IDLE", "", Ownership.NONE)
    await asyncio.to_thread(slurm_cluster.run_job, NODE, 0.1)


async def test_a_person_who_resumes_in_mid_drain_calls_off_the_reboot_too(slurm_cluster: SlurmCluster):
    orchestrator = slurm(slurm_cluster)
    job = await asyncio.to_thread(slurm_cluster.run_job, NODE, 300)
    await orchestrator.drain(NODE, mark(), Drain())
    await scontrol(slurm_cluster, "reboot", "ASAP", "nextstate=DOWN", NODE)
    assert (await orchestrator.observe(NODE)).reboot is RebootProgress.REQUESTED
    await scontrol(slurm_cluster, "update", f"nodename={NODE}", "state=resume")
    seen = await observed(orchestrator, lambda node: node.is_taken_back)
    assert (seen.state, seen.ownership, seen.reboot) == ("MIXED", Ownership.NONE, RebootProgress.NONE)
    assert slurm_cluster.job_state(job) == "RUNNING"
    assert slurm_cluster.reboots.waiting == set()


async def test_a_persons_pending_reboot_is_in_the_way(slurm_cluster: SlurmCluster):
    orchestrator = slurm(slurm_cluster)
    await asyncio.to_thread(slurm_cluster.run_job, NODE, 300)
    await scontrol(slurm_cluster, "reboot", NODE)
    before = slurm_cluster.show(NODE)
    outcome = await orchestrator.cordon(NODE, mark())
    assert outcome.verdict is Verdict.FAILED
    assert "REBOOT_REQUESTED: hands off" in outcome.detail
    assert slurm_cluster.show(NODE) == before
    await scontrol(slurm_cluster, "cancel_reboot", NODE)


async def test_a_reserved_node_is_left_alone(slurm_cluster: SlurmCluster):
    orchestrator = slurm(slurm_cluster)
    when = ("starttime=now", "duration=60", f"nodes={NODE}", "users=root")
    await scontrol(slurm_cluster, "create", "reservation", "reservationname=theirs", *when)
    await observed(orchestrator, lambda node: node.obstacle == "RESERVED")
    outcome = await orchestrator.cordon(NODE, mark())
    await scontrol(slurm_cluster, "delete", "reservationname=theirs")
    assert outcome.verdict is Verdict.FAILED
    assert "RESERVED: hands off" in outcome.detail


def script(directory: Path, name: str, body: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


ERROR = "slurm_load_node error: Unable to contact slurm controller (connect failure)"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "no such program"),
        ("exec sleep 1000", "no end after"),
        (f"echo '{ERROR}'", "Unable to contact"),
        (f"echo '{ERROR}' >&2", "Unable to contact"),
        (f"echo '{ERROR}' >&2; exit 1", "Unable to contact"),
        ("echo Node n1 not found", "Node n1 not found"),
        ("true", "no record of n1"),
        ("kill -9 $$", "ended with -9"),
    ],
    ids=[
        "missing",
        "hangs",
        "error on stdout",
        "error with 0",
        "error with 1",
        "not found",
        "mute",
        "killed",
    ],
)
async def test_a_scontrol_that_fails_is_unknown_and_never_drained(
    slurm_cluster: SlurmCluster, tmp_path: Path, body: str | None, why: str
):
    await slurm(slurm_cluster).cordon(NODE, mark())
    before = slurm_cluster.show(NODE)
    if body is not None:
        script(tmp_path, "scontrol", body)
    broken = slurm(
        slurm_cluster, path=f"{tmp_path}:/bin", scontrol="scontrol" if body else "scontrol-x", deadline=0.5
    )
    seen = await broken.observe(NODE)
    assert (seen.drained, seen.schedulable, seen.ownership) == (None, None, Ownership.UNKNOWN)
    assert why in seen.detail
    outcomes = [
        await broken.cordon(NODE, mark()),
        await broken.reboot(NODE, mark()),
        await broken.return_to_service(NODE, mark()),
    ]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.UNKNOWN] * 3
    assert why in outcomes[0].detail
    assert slurm_cluster.show(NODE) == before


@pytest.mark.parametrize("body", ["exit 1", "echo 'slurm_load_jobs error: oops' >&2", "echo gibberish"])
async def test_a_squeue_that_fails_leaves_an_idle_node_not_drained(
    slurm_cluster: SlurmCluster, tmp_path: Path, body: str
):
    await slurm(slurm_cluster).cordon(NODE, mark())
    script(tmp_path, "squeue", body)
    seen = await slurm(slurm_cluster, squeue=str(tmp_path / "squeue")).observe(NODE)
    assert (seen.drained, seen.jobs, seen.ownership) == (None, None, Ownership.OURS)


async def test_an_effect_whose_reply_never_came_is_looked_up(slurm_cluster: SlurmCluster, tmp_path: Path):
    script(tmp_path, "scontrol", 'scontrol-real "$@"; case "$1" in update) exec sleep 1000;; esac')
    (tmp_path / "scontrol-real").symlink_to("/usr/bin/scontrol")
    path = f"{tmp_path}:{slurm_cluster.env['PATH']}"
    outcome = await slurm(slurm_cluster, path=path, deadline=1.0).cordon(NODE, mark())
    assert outcome.verdict is Verdict.DONE
    assert slurm_cluster.state(NODE) == "IDLE+DRAIN"


@pytest.mark.parametrize("name", ["ALL", "all", "n1,n2", "n[1-3]", "", "-h", "n1 n2", "n1 state=down"])
async def test_a_name_that_could_mean_many_nodes_reaches_no_node(slurm_cluster: SlurmCluster, name: str):
    outcome = await slurm(slurm_cluster).cordon(NodeName(name), mark())
    assert outcome.verdict is Verdict.UNKNOWN
    assert "not the name of one node" in outcome.detail
    assert [slurm_cluster.state(node) for node in slurm_cluster.names] == ["IDLE"] * 3


async def test_hostlists_expand_as_slurm_itself_expands_them(slurm_cluster: SlurmCluster):
    for hostlist in ("n[1-3,7]", "gpu[08-11],login", "r[1-2]n[1-2]"):
        names = (await scontrol(slurm_cluster, "show", "hostnames", hostlist)).split()
        assert sorted(expand(hostlist)) == sorted(names)


async def test_a_job_over_two_nodes_is_seen_on_both(slurm_cluster: SlurmCluster):
    name = "--job-name=x\n99|root|RUNNING|n3"  # its owner may choose any name
    argv = ["sbatch", "--parsable", "-N2", "-w", "n1,n2", name, "-o", "/dev/null", "--wrap", "sleep 300"]
    job = (await asyncio.to_thread(slurm_cluster.command, *argv)).strip()
    await asyncio.to_thread(slurm_cluster.wait_job, int(job), lambda state: state == "RUNNING")
    fleet = await slurm(slurm_cluster).observe_all([NodeName(name) for name in slurm_cluster.names])
    assert {node: [each.id for each in seen.jobs or ()] for node, seen in fleet.items()} == {
        "n1": [job],
        "n2": [job],
        "n3": [],
    }


async def test_return_to_service_2_cannot_give_back_a_node_whose_hold_was_renewed():
    async with own_cluster(SlurmOptions(return_to_service=2)) as cluster:
        orchestrator = slurm(cluster)
        await orchestrator.cordon(NODE, mark())
        await orchestrator.reboot(NODE, mark("boot"))
        await asyncio.to_thread(cluster.wait_reboot, NODE)
        await asyncio.to_thread(cluster.finish_reboot, NODE)
        await observed(orchestrator, lambda node: node.reboot is RebootProgress.COMPLETE)
        assert (await orchestrator.cordon(NODE, mark())).verdict is Verdict.DONE
        # At this registration Slurm would make a node IDLE that is merely DOWN.
        await asyncio.to_thread(cluster.kill_slurmd, NODE)
        await asyncio.to_thread(cluster.start_slurmd, NODE)
        await asyncio.to_thread(cluster.wait_state, NODE, lambda state: state == "IDLE+DRAIN")
        seen = await orchestrator.observe(NODE)
        assert (seen.schedulable, seen.drained, seen.ownership) == (False, True, Ownership.OURS)
        assert (await orchestrator.reboot(NODE, mark("boot"))).verdict is Verdict.DONE
        assert cluster.reboots.count[NODE] == 1
        await returned(orchestrator)


async def test_a_reboot_that_does_not_come_back_is_seen_and_the_node_stays_ours():
    async with own_cluster(SlurmOptions(resume_timeout_s=3)) as cluster:
        orchestrator = slurm(cluster)
        await orchestrator.cordon(NODE, mark())
        await orchestrator.reboot(NODE, mark("boot"))
        seen = await observed(orchestrator, lambda node: node.reboot is RebootProgress.TIMED_OUT, seconds=60)
        assert (seen.schedulable, seen.drained, seen.ownership) == (False, True, Ownership.OURS)
        again = await orchestrator.reboot(NODE, mark("boot"))
        assert again.verdict is Verdict.FAILED
        assert "ResumeTimeout" in again.detail
        assert (await orchestrator.cordon(NODE, mark())).verdict is Verdict.DONE
        renewed = await orchestrator.observe(NODE)
        assert (renewed.state, renewed.reboot) == ("DOWN+DRAIN", RebootProgress.TIMED_OUT)
        assert (await orchestrator.reboot(NODE, mark("boot"))).verdict is Verdict.FAILED
        assert cluster.reboots.count[NODE] == 1


async def test_without_a_reboot_program_the_reboot_is_refused_in_slurms_words():
    async with own_cluster(SlurmOptions(reboot_program=False)) as cluster:
        orchestrator = slurm(cluster)
        await orchestrator.cordon(NODE, mark())
        outcome = await orchestrator.reboot(NODE, mark("boot"))
        assert outcome.verdict is Verdict.FAILED
        assert "RebootProgram isn't defined" in outcome.detail
        assert (await orchestrator.observe(NODE)).ownership is Ownership.OURS


async def test_a_node_that_registers_with_a_gpu_less_is_not_taken_back_and_says_why():
    async with own_cluster(SlurmOptions()) as cluster:
        if not cluster.has_gpus:
            pytest.skip("device nodes cannot be made here, so the nodes have no GPUs")
        orchestrator = slurm(cluster)
        await orchestrator.cordon(NODE, mark())
        gres = cluster.directory / "gres.conf"
        gres.write_text(gres.read_text().replace("[0-7]", "[0-6]"))
        await asyncio.to_thread(cluster.kill_slurmd, NODE)
        await asyncio.to_thread(cluster.start_slurmd, NODE)
        seen = await observed(orchestrator, lambda node: "INVALID_REG" in node.state)
        assert (seen.ownership, seen.drained) == (Ownership.OURS, True)
        outcome = await orchestrator.return_to_service(NODE, mark())
        assert outcome.verdict is Verdict.FAILED
        assert "registers with less" in outcome.detail


async def test_a_controller_that_is_gone_is_unknown_and_comes_back_with_our_hold():
    async with own_cluster(SlurmOptions()) as cluster:
        orchestrator = slurm(cluster, deadline=1.0)
        await orchestrator.cordon(NODE, mark())
        await asyncio.to_thread(cluster.kill_slurmctld)
        assert (await orchestrator.observe(NODE)).ownership is Ownership.UNKNOWN
        assert (await orchestrator.cordon(NODE, mark())).verdict is Verdict.UNKNOWN
        await asyncio.to_thread(cluster.start_slurmctld)
        seen = await observed(orchestrator, lambda node: node.ownership is not Ownership.UNKNOWN)
        assert seen.ownership is Ownership.OURS  # UNKNOWN+DRAIN, until slurmd has registered again
        seen = await observed(orchestrator, lambda node: node.drained is True)
        assert (seen.ownership, seen.state) == (Ownership.OURS, "IDLE+DRAIN")
