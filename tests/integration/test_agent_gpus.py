"""The agent as a process over a simulated driver: GPUs that are well, lost, hang, and come back."""

import time
from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.waiting import wait_until

from sickbay.core.signals import Signal
from sickbay.core.views import Health, HostView
from sickbay.rpc.ports import EventQuery
from sickbay.sim.scenario import Hang, Lost, Xid
from sickbay.sim.simulated_node import inject_fault, reboot

FIRST = "0000:1b:00"


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    return AgentProcess(tmp_path / "host")


def reading(view: HostView, kind: str, pci: str) -> Signal | None:
    return next((s for s in view.readings if s.kind == kind and s.subject.pci == pci), None)


def open_on(view: HostView, pci: str) -> set[str]:
    return {c.type for c in view.conditions if c.is_open and c.subject.pci == pci}


def test_eight_healthy_gpus_are_seen_whole(agent: AgentProcess) -> None:
    agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        view = agent.health()
        assert len(view.inventory.gpus) == 8
        assert view.inventory.nvml == "simulated"
        for gpu in view.inventory.gpus:
            for kind in ("temperature", "ecc", "row_remap", "clocks", "nvlink", "recovery_action"):
                assert reading(view, kind, gpu.pci) is not None, (kind, gpu.pci)


def test_before_the_first_sweep_health_is_unknown_and_not_healthy(agent: AgentProcess) -> None:
    node = agent.with_gpus(slow_call="60s")
    inject_fault(node, Hang(call="nvmlInitWithFlags"))
    with agent:
        view = agent.health()
        assert view.health is Health.UNKNOWN
        assert "has not ended yet" in view.summary


def test_a_call_that_hangs_costs_its_gpu_and_nobody_else(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Hang(gpu=0, call="nvmlDeviceGetTemperatureV"))
        wait_until(lambda: open_on(agent.health(), FIRST) == {"GpuUnresponsive"})
        seen = agent.health()
        others = [gpu.pci for gpu in seen.inventory.gpus if gpu.pci != FIRST]
        assert len(others) == 7

        def fresh() -> bool:
            view = agent.health()
            readings = [reading(view, "temperature", pci) for pci in others]
            return all(
                r is not None and r.at.mono > seen.at - time.time() + time.monotonic() for r in readings
            )

        wait_until(fresh)
        assert {c.type for c in agent.health().conditions if c.subject.pci in others} == set()


def test_it_answers_within_a_second_while_a_call_hangs(agent: AgentProcess) -> None:
    node = agent.with_gpus(call="20s")
    with agent, agent.client as client:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Hang(gpu=0, call="nvmlDeviceGetTemperatureV"))
        time.sleep(
            0.5
        )  # Long enough for a sweep to begin; whether one has makes no difference to the promise.
        for question in (client.health, client.check, lambda: client.events(EventQuery())):
            began = time.monotonic()
            question()
            assert time.monotonic() - began < 1.0


def test_a_gpu_off_the_bus_is_known_by_name_and_asked_no_more(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Lost(gpu=0))
        wait_until(lambda: "GpuFallenOffBus" in open_on(agent.health(), FIRST))
        (condition,) = [c for c in agent.health().conditions if c.type == "GpuFallenOffBus"]
        assert condition.subject.gpu_uuid.startswith("GPU-")
        wait_until(lambda: len(agent.health().inventory.gpus) == 7)


def test_a_reboot_brings_the_gpu_back_and_ends_its_conditions(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Lost(gpu=0))
        wait_until(lambda: "GpuFallenOffBus" in open_on(agent.health(), FIRST))
    reboot(node)
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        assert len(agent.health().inventory.gpus) == 8


def test_an_xid_seen_by_kernel_and_driver_is_one_event_with_both_names(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        inject_fault(node, Xid(gpu=0, code=94))

        def xids() -> list[Signal]:
            return [e.what for e in agent.events() if isinstance(e.what, Signal) and e.what.kind == "xid"]

        wait_until(lambda: xids() and set(xids()[-1].sources) == {"kmsg", "nvml"})
        assert len(xids()) == 1


def test_a_released_driver_is_held_by_nobody_and_taken_again(agent: AgentProcess) -> None:
    agent.with_gpus()
    with agent, agent.client as client:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
        until = client.release(60.0)
        assert until > time.time()
        wait_until(lambda: agent.health().health is Health.UNKNOWN)
        assert "released" in agent.health().summary
        client.resume()
        wait_until(lambda: agent.health().health is Health.HEALTHY)


def test_a_gpu_that_is_gone_after_a_reboot_is_missed_because_it_was_there_before(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(lambda: agent.health().health is Health.HEALTHY)
    inject_fault(node, Lost(gpu=0, until="never"))
    reboot(node)
    with agent:
        wait_until(lambda: len(agent.health().inventory.gpus) == 7)
        inventory = reading(agent.health(), "inventory", "")
        assert inventory is not None
        assert inventory.fields["expected"] == 8
