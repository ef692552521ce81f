"""`sickbay status` says in a word, and in its exit code, whether the host is fit for work."""

import json
from dataclasses import replace

import pytest
import yaml
from tests.fakes.operations import FakeNodeOperations, host
from tests.fakes.words import GPU, a_condition
from tests.unit.cli.conftest import Typed

from sickbay.core.conditions import Status
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


async def test_a_gpu_is_a_row_with_what_it_reads_and_what_is_wrong(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    at = Instant(mono=1.0, wall=2.0)
    warm = Signal(kind="temperature", subject=GPU, at=at, fields={"gpu": 41})
    ecc = Signal(kind="ecc", subject=GPU, at=at, fields={"corrected": 7, "uncorrected": None})
    doubtful = a_condition(type_="LinkDown", status=Status.UNKNOWN)
    shows(
        node_operations,
        replace(host(), inventory=INVENTORY, readings=(warm, ecc), conditions=(a_condition(), doubtful)),
    )
    row = next(line for line in (await sickbay("status")).stdout.splitlines() if "H100" in line)
    assert row.split(maxsplit=7) == [
        "3", "GPU-1", "0000:1b:00", "H100", "41C", "7/?", "?/?", "GpuLost, LinkDown?",
    ]  # fmt: skip


async def test_a_condition_comes_with_how_it_ends_and_its_runbook(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    condition = replace(a_condition(), clears="after a reboot", runbook="gpu-fallen-off-bus")
    cleared = a_condition(type_="Gone", status=Status.FALSE)
    shows(node_operations, replace(host(), conditions=(condition, cleared)))
    said = (await sickbay("status")).stdout
    assert "fatal GpuLost XID_79 on gpu/0000:1b:00, since 1970-01-01 00:00:01Z" in said
    assert "clears: after a reboot" in said
    assert "runbook: docs/runbooks/gpu-fallen-off-bus.md" in said
    assert "Gone" not in said


async def test_a_monitor_that_cannot_see_is_named(
    sickbay: Typed, node_operations: FakeNodeOperations
) -> None:
    blind = MonitorState(name="kmsg", healthy=False, detail="EPERM", last_success=0.0)
    shows(node_operations, replace(host(), monitors=(blind,), coordinator_connected=False))
    said = (await sickbay("status")).stdout
    assert "monitor kmsg cannot see: EPERM (never saw)" in said
    assert "NOT connected to coordinator 127.0.0.1:7118" in said


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
