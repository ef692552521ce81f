"""One GPU is lost, hangs, is replaced or was never there: the seven others are watched as if nothing were."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.waiting import wait_until

from sickbay.core.signals import Signal
from sickbay.core.views import Health, HostView
from sickbay.sim.node_dir import NodeDir
from sickbay.sim.scenario import Fault, Hang, Lost, Missing
from sickbay.sim.simulated_node import inject_fault, reboot

FIRST = "0000:1b:00"
FOR_ONCE = {"inforom", "platform_info", "nvlink_peers", "nvlink_speed"}
"""Kinds of what is read hourly: they show, and no test waits for them to be read again."""


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    return AgentProcess(tmp_path / "host")


def of_gpus(view: HostView) -> dict[str, dict[str, Signal]]:
    """What was last read of each GPU: PCI address -> kind -> signal."""
    found: dict[str, dict[str, Signal]] = {}
    for signal in view.readings:
        if signal.subject.pci:
            found.setdefault(signal.subject.pci, {})[signal.kind] = signal
    return found


def see_the_others_anew(agent: AgentProcess) -> None:
    """Wait until every kind that each of the other seven has given was given again, after now."""
    begun = time.monotonic()
    kinds = {pci: set(told) - FOR_ONCE for pci, told in of_gpus(agent.health()).items() if pci != FIRST}
    assert len(kinds) == 7
    assert len({frozenset(told) for told in kinds.values()}) == 1, (
        "the seven are alike, and so is what they give"
    )
    assert {"temperature", "ecc", "nvlink", "gpu_memory", "modes"} <= next(iter(kinds.values()))

    def are_fresh() -> bool:
        now = of_gpus(agent.health())
        return all(now[pci][kind].at.mono > begun for pci, told in kinds.items() for kind in told)

    wait_until(are_fresh, patience=60)


def is_well(agent: AgentProcess) -> Callable[[], bool]:
    return lambda: agent.health().health is Health.HEALTHY and len(of_gpus(agent.health())) == 8


def first(agent: AgentProcess, kind: str) -> Signal:
    return of_gpus(agent.health())[FIRST][kind]


def test_a_lost_gpu_costs_the_others_nothing(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(is_well(agent), patience=60)
        hurt(node, Lost(gpu=0))
        wait_until(lambda: "GpuFallenOffBus" in agent.open_types())
        see_the_others_anew(agent)


def test_a_gpu_that_hangs_costs_the_others_nothing(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(is_well(agent), patience=60)
        hurt(node, Hang(gpu=0, call="nvmlDeviceGetTemperatureV"))
        wait_until(lambda: first(agent, "gpu_unresponsive").fields["unresponsive"] is True)
        see_the_others_anew(agent)


def test_a_gpu_that_another_has_replaced_is_watched_like_the_others(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(is_well(agent), patience=60)
    old = swap_first_gpu(node)
    reboot(node)
    with agent:
        wait_until(lambda: "GpuReplaced" in agent.open_types(), patience=60)
        (condition,) = [c for c in agent.health().conditions if c.type == "GpuReplaced"]
        assert old in condition.message
        assert "GPU-new" in condition.message
        wait_until(is_well(agent), patience=60)
        see_the_others_anew(agent)
        wait_until(lambda: first(agent, "gpu_presence").fields["replaced"] is False)
        assert first(agent, "temperature").fields["gpu"] is not None


def test_a_gpu_that_was_never_listed_is_known_by_the_bus(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    hurt(node, Missing(gpu=0, until="never"))
    with agent:
        wait_until(lambda: FIRST in of_gpus(agent.health()), patience=60)
        told = first(agent, "gpu_presence").fields
        assert (told["on_bus"], told["listed"]) == (True, False)
        see_the_others_anew(agent)


def test_a_gpu_that_is_neither_on_the_bus_nor_listed_is_missed_by_name(agent: AgentProcess) -> None:
    node = agent.with_gpus()
    with agent:
        wait_until(is_well(agent), patience=60)
    hurt(node, Missing(gpu=0, until="never", off_bus=True))
    reboot(node)
    with agent:
        wait_until(lambda: FIRST in of_gpus(agent.health()), patience=60)
        told = first(agent, "gpu_presence")
        assert (told.fields["expected"], told.fields["on_bus"], told.fields["listed"]) == (True, False, False)
        assert told.subject.gpu_uuid.startswith("GPU-")
        see_the_others_anew(agent)


def test_an_agent_at_rest_logs_nothing_from_sweep_to_sweep(agent: AgentProcess) -> None:
    agent.with_gpus()
    with agent:
        wait_until(is_well(agent), patience=60)
        see_the_others_anew(agent)
        before = agent.log.read_text()
        for _ in range(5):
            see_the_others_anew(agent)
        assert agent.log.read_text() == before


def hurt(node: Path, fault: Fault) -> None:
    inject_fault(node, fault)


def swap_first_gpu(node: Path) -> str:
    """Put another GPU into the first slot of a node that is down; the UUID of the one that was there."""
    file = NodeDir(node).profile
    profile = json.loads(file.read_text())
    (gpu,) = [gpu for gpu in profile["gpus"] if gpu["pci"] == FIRST]
    old: str = gpu["values"]["uuid"]
    gpu["values"]["uuid"] = "GPU-new"
    file.write_text(json.dumps(profile))
    return old
