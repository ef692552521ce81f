"""A real coordinator after an upgrade: a changed built-in rule observes until a person confirms it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.agent import GPUS, FakeAgent
from tests.fakes.clock import FakeClock
from tests.fakes.wire_agent import WireAgent
from tests.support.coordinator_process import CoordinatorProcess
from tests.support.waiting import until

from sickbay.core.devices import Inventory
from sickbay.core.ids import NodeName, RuleId
from sickbay.rpc.fleet_client import FleetClient

NODE = "gpu-1"

RULE = """
- id: gpu-lost
  on: xid
  when: signal.code == 79
  condition: {type: GpuLost, severity: fatal, scope: gpu, reason: "Xid{code}"}
  clear: {after: reboot}
  remedy: reboot
  mode: act
  because: the GPU is gone
  runbook: gpu-lost
"""


@pytest.fixture
def coordinator(tmp_path: Path) -> Iterator[CoordinatorProcess]:
    process = CoordinatorProcess(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "gpu.yaml").write_text(RULE)
    yield process
    process.kill()


def ask(coordinator: CoordinatorProcess, question: Callable[[FleetClient], object]) -> object:
    with FleetClient(coordinator.target, timeout=10.0) as client:
        return question(client)


def mode_gate(coordinator: CoordinatorProcess) -> str:
    """What the mode gate said of the latest incident, as the store has it."""
    rows = coordinator._rows("SELECT body FROM incidents ORDER BY opened_at")
    decision = json.loads(rows[-1][0])["decision"] if rows else None
    return next((f["why"] for f in decision["findings"] if f["gate"] == "mode"), "") if decision else ""


async def test_a_changed_built_in_rule_only_observes_until_a_person_confirms_it(
    coordinator: CoordinatorProcess, tmp_path: Path
) -> None:
    coordinator.start()
    lost = FakeAgent(clock=FakeClock(), node=NodeName(NODE)).condition()
    async with WireAgent(NODE, coordinator.target, Inventory(gpus=GPUS, nvml="simulated")) as agent:
        await until(lambda: coordinator.knows_well(NODE))
        coordinator.stop()
        (tmp_path / "rules" / "gpu.yaml").write_text(RULE.replace("== 79", "in [79, 110]"))
        coordinator.start()
        await until(lambda: agent.is_connected)
        agent.fails(lost)
        await until(lambda: "gpu-lost is a changed built-in rule" in mode_gate(coordinator))
        assert coordinator.remediations() == []
        outcome = await asyncio.to_thread(
            ask, coordinator, lambda client: client.confirm_rules([RuleId("gpu-lost")], operator="ann")
        )
        assert "may act now: gpu-lost" in str(outcome)
        await until(lambda: [rem["step"] for rem in coordinator.remediations()] == ["done"])
    told = [(entry["who"], entry["why"]) for entry in coordinator.ledger() if not entry["node"]]
    assert ("operator ann", "gpu-lost") in told
