"""Corrected errors at 17,000 a second: a rate and a condition, and every other check keeps its interval."""

import math
from collections import defaultdict
from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.rules import written
from tests.support.waiting import wait_until

from sickbay.core.views import Health, HostView
from sickbay.sim.scenario import Ecc
from sickbay.sim.simulated_node import inject_fault

FIRST = "0000:1b:00"
RATE = 17_000
EACH_SWEEP = ("temperature", "clocks", "power", "ecc", "row_remap", "nvlink", "recovery_action")
QUICKER = """
- id: ecc-corrected-rate
  for: 1s
  boot_grace: null
  clear: {when: signal.corrected_rate < 1.0, for: 1s}
"""


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    rules = written(tmp_path / "rules" / "quicker.yaml", QUICKER)
    return AgentProcess(tmp_path / "host", changes={"rules": [str(rules)]})


def rate_of(view: HostView, pci: str) -> float | None:
    rates = [s.fields["corrected_rate"] for s in view.readings if s.kind == "ecc" and s.subject.pci == pci]
    return rates[0] if rates and isinstance(rates[0], float) else None


def is_told(view: HostView, pci: str) -> bool:
    return any(
        c.type == "GpuCorrectedEccRate" and c.is_open and c.subject.pci == pci for c in view.conditions
    )


def test_corrected_errors_are_a_rate_of_their_own_gpu_and_end_with_them(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Ecc(gpu=0, corrected_per_s=RATE, until="12s"))
        wait_until(lambda: math.isclose(rate_of(agent.health(), FIRST) or 0.0, RATE, rel_tol=0.1))
        wait_until(lambda: is_told(agent.health(), FIRST))
        view = agent.health()
        others = {gpu.pci for gpu in view.inventory.gpus} - {FIRST}
        assert {rate_of(view, pci) for pci in others} == {0.0}
        assert not any(is_told(view, pci) for pci in others)
        wait_until(lambda: not is_told(agent.health(), FIRST))


def test_every_other_check_keeps_its_interval_and_no_error_is_an_event_of_its_own(
    agent: AgentProcess,
) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Ecc(gpu=0, corrected_per_s=RATE))
        wait_until(lambda: is_told(agent.health(), FIRST))
        events = len(agent.events())
        swept: dict[tuple[str, str], set[float]] = defaultdict(set)

        def looked_at_ten_sweeps() -> bool:
            for signal in agent.health().readings:
                swept[signal.kind, signal.subject.pci].add(signal.at.mono)
            return len(swept["ecc", FIRST]) > 10

        wait_until(looked_at_ten_sweeps)
        gpus = {gpu.pci for gpu in agent.health().inventory.gpus}
        assert len(gpus) == 8
        assert {frozenset(swept[kind, pci]) for kind in EACH_SWEEP for pci in gpus} == {
            frozenset(swept["ecc", FIRST])
        }
        assert len(agent.events()) == events
