"""`sickbay status` says in a word, and in its exit code, whether the host is fit for work."""

import json
from dataclasses import replace

import pytest
import yaml
from tests.fakes.operations import FakeNodeOperations, host
from tests.fakes.words import GPU, a_condition
from tests.unit.cli.conftest import Typed

from sickbay.core.conditions import Mode, Status
from sickbay.core.devices import Gpu, Inventory
from sickbay.core.host_views import Health, HostView, MonitorState
from sickbay.core.instants import Instant
from sickbay.core.signals import Signal

INVENTORY = Inventory(gpus=(Gpu(uuid="GPU-1", pci="0000:1b:00", slot=3, name="H100"),), nvml="simulated")


def shows(operations: FakeNodeOperations, view: HostView) -> None:
    async def health() -> HostView:
        return view

    operations.health = health  # type: ignore[method-assign]  # the fake tells another story


@pytest.mark.parametrize(
    ("health", "code"),
    [(Health.HEALTHY, 0), (Health.DEGRADED, 1), (Health.UNHEALTHY, 2), (Health.UNKNOWN, 3)],
)
async def test_the_exit_code_is_the_word(
    sickbay: Typed, node_operations: FakeNodeOperations, health: Health, code: int
) -> None:
    shows(node_operations, replace(host(), health=health, summary="so it is"))
    done = await sickbay("status")
    assert done.exit_code == code
    assert f"n1: {health.value}: so it is" in done.stdout


async def test_a_gpu_is_a_row_with_what_it_reads_and_a_word_for_its_state(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    at = Instant(mono=1.0, wall=2.0)
    warm = Signal(kind="temperature", subject=GPU, at=at, fields={"gpu": 41})
    ecc = Signal(kind="ecc", subject=GPU, at=at, fields={"corrected": 7, "uncorrected": None})
    shows(node_operations, replace(host(), inventory=INVENTORY, readings=(warm, ecc)))
    said = (await sickbay("status")).stdout
    assert "1 GPU, H100" in said
    (row,) = [line for line in said.splitlines() if "0000:1b:00" in line]
    assert row.split() == ["3", "0000:1b:00", "1", "41C", "?", "7/?", "?/?", "?", "ok"]


async def test_a_condition_comes_with_its_evidence_what_follows_and_how_it_ends(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    line = "NVRM: Xid (PCI:0000:1b:00): 79, GPU has fallen off the bus."
    condition = replace(
        a_condition(),
        message=f"the GPU is gone: {line}",
        clears="after a reboot",
        runbook="gpu-fallen-off-bus",
        remedy="drain-and-reboot",
        mode=Mode.ACT,
    )
    cleared = a_condition(type_="Gone", status=Status.FALSE)
    shows(node_operations, replace(host(), conditions=(condition, cleared), coordinator=""))
    said = (await sickbay("status")).stdout
    assert "fatal GpuLost XID_79 on gpu/0000:1b:00, slot 0" in said
    assert "since 1970-01-01 00:00:01Z" in said
    assert "RESTART_BM" in said
    assert "next: nothing: no coordinator is configured; drain-and-reboot waits for it" in said
    assert "clears: after a reboot" in said
    assert "runbook: docs/runbooks/gpu-fallen-off-bus.md" in said
    assert "Gone" not in said
    assert max(len(line) for line in said.splitlines()) <= 80


async def test_a_coordinator_that_was_named_says_what_it_does(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    shows(node_operations, replace(host(), conditions=(a_condition(),)))
    said = (await sickbay("status")).stdout
    assert "What the coordinator does:" in said
    assert "inc-0123456789ab XID_79: the node's jobs end by themselves" in said


async def test_a_coordinator_that_does_not_answer_costs_the_host_nothing(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    shows(node_operations, replace(host(), conditions=(a_condition(),), health=Health.UNHEALTHY))
    done = await sickbay("status", "--coordinator", "127.0.0.1:1")
    assert done.exit_code == 2
    assert "not known: no coordinator answers at 127.0.0.1:1" in done.stdout


async def test_what_is_not_known_is_named_with_its_reason(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    blind = MonitorState(name="kmsg", healthy=False, detail="EPERM", last_success=0.0)
    doubtful = a_condition(type_="LinkDown", status=Status.UNKNOWN)
    view = replace(host(), monitors=(blind,), conditions=(doubtful,), coordinator_connected=False)
    shows(node_operations, view)
    said = (await sickbay("status")).stdout
    assert "what kmsg watches: EPERM (last seen never)" in said
    assert "whether LinkDown still holds on gpu/0000:1b:00" in said
    assert "NOT connected to coordinator" in said


async def test_everything_shows_what_is_well_too(sickbay: Typed, node_operations: FakeNodeOperations) -> None:
    sees = MonitorState(name="nvml", healthy=True, detail="", last_success=2.0)
    modes = Signal(kind="modes", subject=GPU, at=Instant(mono=1.0, wall=2.0), fields={"persistence": True})
    shows(node_operations, replace(host(), monitors=(sees,), readings=(modes,)))
    assert "persistence" not in (await sickbay("status")).stdout
    said = (await sickbay("status", "--all")).stdout
    assert "nvml sees, last at 1970-01-01 00:00:02Z" in said
    assert "gpu/0000:1b:00 modes (4.0s ago): persistence=yes" in said


async def test_programs_are_told_what_is_made_of_it_in_words_that_stay(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    shows(node_operations, replace(host(), inventory=INVENTORY, conditions=(a_condition(),)))
    said = json.loads((await sickbay("status", "-o", "json")).stdout)
    assert {"gpus", "wrong", "not_known", "being_done"} < set(said)
    assert (said["gpus"][0]["state"], said["gpus"][0]["wrong"]) == ("lost", ["GpuLost"])
    assert (said["wrong"][0]["type"], said["wrong"][0]["status"]) == ("GpuLost", "True")


async def test_a_defect_of_the_command_is_unknown_and_not_degraded(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    # The next fields of a reading come from the agent; one that is not as it promised is nobody's foresight.
    odd = Signal(kind="temperature", subject=GPU, at=Instant(mono=1.0, wall=1e300), fields={"gpu": 1})
    shows(node_operations, replace(host(), readings=(odd,), at=1e300))
    done = await sickbay("status")
    assert done.exit_code == 3
    assert "a defect of this command" in done.stderr


async def test_watching_is_for_people(sickbay: Typed) -> None:
    done = await sickbay("status", "--watch", "-o", "json")
    assert (done.exit_code, done.stdout) == (3, "")


async def test_programs_get_the_whole_view_as_json_or_yaml(sickbay: Typed) -> None:
    as_json = json.loads((await sickbay("status", "-o", "json")).stdout)
    as_yaml = yaml.safe_load((await sickbay("status", "-o", "yaml")).stdout)
    assert as_json == as_yaml
    assert (as_json["health"], as_json["node"]) == ("healthy", "n1")


async def test_a_check_reads_anew(sickbay: Typed, node_operations: FakeNodeOperations) -> None:
    assert (await sickbay("status", "--check")).exit_code == 0
    assert node_operations.asked == ["check"]


@pytest.mark.parametrize("form", ["table", "json"])
async def test_a_host_without_an_agent_is_unknown_and_told_how_to_start_one(alone: Typed, form: str) -> None:
    done = await alone("status", "-o", form)
    assert (done.exit_code, done.stdout) == (3, "")
    assert alone.environment["SICKBAY_AGENT_SOCKET"] in done.stderr
    assert "systemctl start sickbay-agent" in done.stderr
    assert "--socket" in done.stderr


async def test_wrong_use_does_not_say_unhealthy(sickbay: Typed) -> None:
    assert (await sickbay("status", "--nonsense")).exit_code == 3
