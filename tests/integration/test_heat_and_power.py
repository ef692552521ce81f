"""Heat and a power brake through the agent's own worker: what is left, for how long, and that it ends."""

from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.rules import written
from tests.support.waiting import wait_until

from sickbay.core.signals import FieldValue
from sickbay.core.views import Health
from sickbay.sim.scenario import PowerBrake, Temperature
from sickbay.sim.simulated_node import inject_fault

FIRST = "0000:1b:00"
QUICKER = "\n".join(
    f"- {{id: {rule}, for: 1s, boot_grace: null, clear: {{when: '{well}', for: 1s}}}}"
    for rule, well in (
        ("gpu-at-slowdown-temperature", "signal.slowdown_margin >= 5"),
        ("gpu-hw-thermal-slowdown", "!signal.hw_thermal"),
        ("gpu-power-brake", "!signal.hw_power_brake"),
    )
)


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    rules = written(tmp_path / "rules" / "quicker.yaml", QUICKER)
    return AgentProcess(tmp_path / "host", changes={"rules": [str(rules)]})


def field(agent: AgentProcess, kind: str, name: str, pci: str = FIRST) -> FieldValue:
    readings = [s for s in agent.health().readings if s.kind == kind and s.subject.pci == pci]
    return readings[0].fields[name] if readings else None


def open_types(agent: AgentProcess) -> set[str]:
    return {c.type for c in agent.health().conditions if c.is_open and c.subject.pci == FIRST}


def test_a_gpu_gets_too_hot_by_the_drivers_own_margin_and_cools_down(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        assert field(agent, "temperature", "slowdown_margin") == 56
        inject_fault(node, Temperature(gpu=0, to=95, until="10s"))
        wait_until(lambda: open_types(agent) == {"GpuTooHot", "GpuThermalSlowdown"})
        assert field(agent, "temperature", "slowdown_margin") == -6
        assert field(agent, "temperature", "above_siblings") == 62
        wait_until(lambda: not open_types(agent))


def test_a_power_brake_is_the_whole_of_the_time_and_then_none_of_it(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        wait_until(lambda: field(agent, "clocks", "hw_power_brake_share") == 0.0)
        inject_fault(node, PowerBrake(gpu=0, until="12s"))
        wait_until(lambda: open_types(agent) == {"GpuPowerBrake"})
        wait_until(lambda: field(agent, "clocks", "hw_power_brake_share") == 1.0)
        assert field(agent, "clocks", "hw_power_brake_share", "0000:43:00") == 0.0
        wait_until(lambda: not open_types(agent))
        wait_until(lambda: field(agent, "clocks", "hw_power_brake_share") == 0.0)
