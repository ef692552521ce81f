"""`sickbay explain`: an incident, whatever a host knows, or a line with nobody running."""

import json

from tests.fakes.operations import FakeNodeOperations
from tests.fakes.words import an_incident
from tests.unit.cli.conftest import Typed

LINE = "NVRM: Xid (PCI:0000:1b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."


async def test_an_incident_is_explained_whole(sickbay: Typed) -> None:
    done = await sickbay("explain", an_incident().id)
    assert done.exit_code == 0
    for part in ("It rests on", "Gates: not asked yet", "reboot, draining since", "Next: ", "T0", "T8"):
        assert part in done.stdout
    value = json.loads((await sickbay("explain", an_incident().id, "-o", "json")).stdout)
    assert value["next"].startswith("the node's jobs end by themselves; at the latest at ")


async def test_the_agent_explains_what_it_knows(sickbay: Typed) -> None:
    assert (await sickbay("explain", "GpuLost")).stdout == "about GpuLost\n"
    assert (await sickbay("explain", f"[   12.345678] {LINE}")).stdout == f"about {LINE}\n"
    done = await sickbay("explain", "nothing")
    assert (done.exit_code, done.stderr) == (1, "sickbay: nothing here is called that\n")


async def test_a_kernel_line_is_explained_with_nobody_running(alone: Typed) -> None:
    done = await alone("explain", LINE)
    assert done.exit_code == 0
    assert "rule: xid-79" in done.stdout
    assert "explained by the built-in rules alone" in done.stderr
    value = json.loads((await alone("explain", LINE, "-o", "json")).stdout)
    assert (value["kind"], value["nvidia"]["xid"]) == ("xid", 79)


async def test_a_line_that_no_monitor_reads_is_said_to_be_one(alone: Typed) -> None:
    assert "no monitor understands" in (await alone("explain", "usb 1-1: new device")).stdout


async def test_an_xid_is_looked_up_with_nobody_running(alone: Typed) -> None:
    done = await alone("explain", "Xid", "79")
    assert done.exit_code == 0
    assert "RESTART_BM" in done.stdout


async def test_a_name_needs_somebody_to_ask(alone: Typed) -> None:
    done = await alone("explain", "GpuLost")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "no agent answers" in done.stderr


async def test_a_condition_comes_with_what_every_gate_said_and_what_follows(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    node_operations.explained = {
        "kind": "condition",
        "status": "True",
        "node": an_incident().node,
        "key": an_incident().conditions[0],
    }
    done = await sickbay("explain", "GpuLost")
    assert f"incident: {an_incident().id}" in done.stdout
    assert "Gates: not asked yet" in done.stdout
    assert "next: the node's jobs end by themselves" in done.stdout
    value = json.loads((await sickbay("explain", "GpuLost", "-o", "json")).stdout)
    assert value["incident"] == an_incident().id


async def test_without_a_coordinator_a_condition_is_explained_and_the_gates_are_not_known(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    node_operations.explained = {"kind": "condition", "status": "True", "node": "n1", "key": "GpuLost@gpu"}
    done = await sickbay("explain", "GpuLost", "--coordinator", "127.0.0.1:1")
    assert done.exit_code == 0
    assert "what the gates say is not known" in done.stdout
    other = await sickbay("explain", "GpuLost")
    assert "no incident rests on it" in other.stdout
