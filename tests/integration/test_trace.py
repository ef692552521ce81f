"""A trace of a real agent, replayed: what the rules said then, exactly."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.waiting import wait_until

from sickbay.core.conditions import Condition
from sickbay.core.history import Began, HistoryEntry, Looked, Told
from sickbay.core.instants import Instant
from sickbay.core.replay import NodeReplay
from sickbay.core.views import Health
from sickbay.host.histories import open_history
from sickbay.host.rule_files import load_rules
from sickbay.sim.reading_faults import PcieDegraded
from sickbay.sim.scenario import Hang, Lost, Xid
from sickbay.sim.simulated_node import inject_fault

Said = list[tuple[Instant, Condition]]


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    return AgentProcess(tmp_path / "host")


def entries(path: Path) -> Sequence[HistoryEntry]:
    return list(open_history(path).entries())


def recorded(path: Path) -> Said:
    return [(entry.now, entry.condition) for entry in entries(path) if isinstance(entry, Told)]


def replayed(path: Path) -> Said:
    history = open_history(path)
    replay: NodeReplay | None = None
    said: Said = []
    for entry in history.entries():
        replay = replay or NodeReplay(node=entry.node, rules=load_rules().rules, about=history.about)
        said += [(change.now, change.condition) for change in replay.take(entry)]
    return said


@pytest.mark.parametrize("name", ["trace.jsonl", "trace.jsonl.gz"])
def test_a_replay_of_a_live_agents_trace_gives_its_conditions_exactly(agent: AgentProcess, name: str) -> None:
    path = agent.folder / name
    agent.changes["trace"] = {"path": str(path)}
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Xid(gpu=2, code=94))
        inject_fault(node, PcieDegraded(gpu=3, width=8))
        inject_fault(node, Hang(gpu=0, call="nvmlDeviceGetTemperatureV"))
        inject_fault(node, Lost(gpu=5))
        wait_until(lambda: {"GpuUnresponsive", "GpuFallenOffBus"} <= {*agent.open_types()})
        live = {c.key for c in agent.health().conditions}
    said = recorded(path)
    assert {condition.key for _, condition in said} >= live
    assert replayed(path) == said
    with agent:
        wait_until(lambda: live <= {c.key for c in agent.health().conditions})
        inject_fault(node, Lost(gpu=6))
        wait_until(lambda: live < {c.key for c in agent.health().conditions})
    assert recorded(path)
    assert replayed(path) == recorded(path)
    began = entries(path)[0]
    assert isinstance(began, Began)
    assert began.state is not None
    assert {known.condition.key for known in began.state.open.values()} >= live
    assert (agent.folder / name.replace(".", ".1.", 1)).exists()


def test_a_trace_is_bounded_and_each_of_its_two_files_replays_alone(agent: AgentProcess) -> None:
    path = agent.folder / "trace.jsonl"
    agent.changes["trace"] = {"path": str(path), "max_bytes": 65_536}
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Lost(gpu=5))
        wait_until((agent.folder / "trace.1.jsonl").exists, patience=60.0)
    for file in (path, agent.folder / "trace.1.jsonl"):
        assert isinstance(entries(file)[0], Began)
        assert any(isinstance(entry, Looked) for entry in entries(file))
        assert replayed(file) == recorded(file)
    assert len(list(agent.folder.glob("trace*"))) == 2


def test_a_disk_that_refuses_a_trace_is_said_and_costs_no_detection(agent: AgentProcess) -> None:
    agent.changes["trace"] = {"path": str(agent.folder / "no such folder" / "trace.jsonl")}
    with agent:
        wait_until(lambda: "MonitorDegraded" in agent.open_types())
        (told,) = [monitor for monitor in agent.health().monitors if monitor.name == "trace"]
        assert "No such file" in told.detail
        agent.prints()
        wait_until(lambda: "GpuFallenOffBus" in agent.open_types())
