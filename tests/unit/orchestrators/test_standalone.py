from pathlib import Path

from sickbay.core.ids import ActionId, IncidentId, NodeName, RuleId
from sickbay.core.orchestration import Mark
from sickbay.core.outcomes import Verdict
from sickbay.host.clock import SystemClock
from sickbay.host.commands import SystemCommands
from sickbay.orchestrators.records import MemoryCordonRecords
from sickbay.orchestrators.standalone import Hook, Standalone, StandaloneSettings

NODE = NodeName("n1")
MARK = Mark(incident=IncidentId("inc-1"), rule=RuleId("gpu-lost"), action_id=ActionId("a"))


def standalone(**settings: object) -> Standalone:
    return Standalone(
        settings=StandaloneSettings(**settings),
        records=MemoryCordonRecords(),
        commands=SystemCommands(),
        clock=SystemClock(),
    )


def hook(directory: Path, body: str) -> Hook:
    script = directory / "hook"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return (str(script),)


async def test_without_a_list_of_jobs_a_cordoned_node_is_never_drained():
    orchestrator = standalone()
    await orchestrator.cordon(NODE, MARK)
    node = await orchestrator.observe(NODE)
    assert (node.drained, node.jobs) == (None, None)
    assert "list_jobs" in node.detail


async def test_where_hosts_run_no_jobs_a_cordoned_node_is_drained():
    orchestrator = standalone(hosts_run_no_jobs=True)
    await orchestrator.cordon(NODE, MARK)
    assert (await orchestrator.observe(NODE)).drained is True


async def test_a_hook_that_lists_jobs_and_fails_is_no_list(tmp_path: Path):
    orchestrator = standalone(list_jobs=hook(tmp_path, "exit 1"))
    await orchestrator.cordon(NODE, MARK)
    assert (await orchestrator.observe(NODE)).drained is None


async def test_the_hook_hears_which_node_and_why(tmp_path: Path):
    told = tmp_path / "told"
    orchestrator = standalone(on_cordon=hook(tmp_path, f'echo "$SICKBAY_NODE $SICKBAY_REASON" >> {told}'))
    assert (await orchestrator.cordon(NODE, MARK)).verdict is Verdict.DONE
    assert told.read_text() == "n1 sickbay:inc-1:gpu-lost\n"


async def test_a_hook_that_fails_leaves_the_cordon_unknown_and_is_run_again(tmp_path: Path):
    works = tmp_path / "works"
    orchestrator = standalone(on_cordon=hook(tmp_path, f"test -e {works} || {{ echo no >&2; exit 7; }}"))
    first = await orchestrator.cordon(NODE, MARK)
    assert first.verdict is Verdict.UNKNOWN
    assert "ended with 7: no" in first.detail
    assert (await orchestrator.observe(NODE)).schedulable is False
    works.touch()
    assert (await orchestrator.cordon(NODE, MARK)).verdict is Verdict.DONE


async def test_a_hook_that_fails_on_return_keeps_the_node_out(tmp_path: Path):
    orchestrator = standalone(on_return=hook(tmp_path, "exit 1"))
    await orchestrator.cordon(NODE, MARK)
    assert (await orchestrator.return_to_service(NODE, MARK)).verdict is Verdict.UNKNOWN
    assert (await orchestrator.observe(NODE)).schedulable is False


async def test_a_missing_hook_is_unknown_and_named():
    orchestrator = standalone(on_cordon=("/nowhere/hook",))
    outcome = await orchestrator.cordon(NODE, MARK)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "/nowhere/hook: no such program" in outcome.detail
