"""The verdict as a job prolog reads it."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

from sickbay.core.conditions import Condition, Severity, Status
from sickbay.core.devices import Inventory, Scope, Subject
from sickbay.core.ids import BootId, NodeName, RuleId
from sickbay.core.views import Health, HostView
from sickbay.host.verdict_file import VerdictFile

HEALTHY = HostView(
    node=NodeName("n1"),
    boot_id=BootId("b"),
    version="0.1.0",
    health=Health.HEALTHY,
    summary="nothing is wrong",
    inventory=Inventory(),
    conditions=(),
    readings=(),
    monitors=(),
    coordinator="",
    coordinator_connected=False,
    at=1000.0,
    spooled_events=0,
    rules_digest="",
)
LOST = Condition(
    type="GpuLost",
    subject=Subject(scope=Scope.GPU, gpu_uuid="GPU-1", pci="0000:1b:00"),
    status=Status.TRUE,
    severity=Severity.FATAL,
    rule=RuleId("gpu-lost"),
    reason="Xid79",
    message="GPU has fallen off the bus",
    since=999.0,
    observed_at=999.0,
    boot_id=BootId("b"),
)
SICK = replace(HEALTHY, health=Health.UNHEALTHY, summary="GpuLost (Xid79)", conditions=(LOST,))


def test_a_prolog_needs_nothing_but_grep(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    VerdictFile(path).show(HEALTHY)
    assert subprocess.run(["grep", "-q", '"verdict": "healthy"', path], check=False).returncode == 0


def test_the_file_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    VerdictFile(path).show(SICK)
    said = json.loads(path.read_text())
    assert said["verdict"] == "unhealthy"
    assert said["reasons"] == ["GpuLost (Xid79)"]
    assert said["conditions"][0]["gpu_uuid"] == "GPU-1"


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    verdict = VerdictFile(path)
    verdict.show(HEALTHY)
    before = path.stat()
    verdict.show(replace(HEALTHY, at=2000.0))
    assert path.stat().st_ino == before.st_ino
    verdict.show(SICK)
    assert path.stat().st_ino != before.st_ino


def test_a_condition_that_closed_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    VerdictFile(path).show(replace(HEALTHY, conditions=(LOST.cleared(at=1001.0, because="answers again"),)))
    assert json.loads(path.read_text())["conditions"] == []


def test_an_agent_that_ends_takes_its_verdict_with_it(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    verdict = VerdictFile(path)
    verdict.show(HEALTHY)
    verdict.withdraw()
    assert list(tmp_path.iterdir()) == []
