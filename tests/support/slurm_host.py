"""A node of the real Slurm as Sickbay sees one: a real agent on a simulated host with eight GPUs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.agent_process import AgentProcess
from tests.support.coordinator_process import CoordinatorProcess
from tests.support.slurm_cluster import SlurmCluster

from sickbay.core.ids import NodeName
from sickbay.rpc.fleet_client import FleetClient
from sickbay.rpc.ports import NotFound, Unreachable
from sickbay.sim.scenario import Lost
from sickbay.sim.simulated_node import create_node, inject_fault, reboot

GPUS = 8

SHORT_SOAK = {"remedies.yaml": "[{id: drain-and-reboot, validation: {soak: 0s, deadline: 60s}}]"}
"""The shipped remedy without its wait for the fault to come back, laid over the shipped rules."""

NOTHING: Mapping[str, str] = {}


def slurm_coordinator(
    directory: Path, cluster: SlurmCluster, rules: Mapping[str, str] = NOTHING
) -> CoordinatorProcess:
    """Not started yet: in mode act on this Slurm, with the shipped rules, patience and intervals.

    `rules` are a site's own files, by name, laid over the shipped ones.
    """
    directory.mkdir(parents=True, exist_ok=True)
    slurm = {"conf": str(cluster.slurm_conf), "path": cluster.env["PATH"]}
    return CoordinatorProcess(
        directory,
        extra={
            "orchestrator": {"kind": "slurm", "slurm": slurm},
            "builtin_rules": "",
            "rules": layer(directory, rules),
            "patience": {},
            "heartbeat": "5s",
        },
    )


def layer(directory: Path, rules: Mapping[str, str]) -> list[str]:
    """A site's rules as the configuration names them."""
    site = directory / "rules.d"
    site.mkdir(parents=True, exist_ok=True)
    for name, text in rules.items():
        (site / name).write_text(text)
    return [str(site)] if rules else []


@dataclass(slots=True)
class SlurmHost:
    """Use as a context: the agent runs in it. `rules` and `changes` are its own, beside the usual."""

    name: str
    cluster: SlurmCluster
    coordinator: CoordinatorProcess
    folder: Path
    rules: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, object] = field(default_factory=dict)
    agent: AgentProcess = field(init=False)

    def __post_init__(self) -> None:
        create_node(self.simulated, salt=self.name)
        changes: dict[str, object] = {
            "node": self.name,
            "coordinators": [self.coordinator.target],
            "nvml": {"enabled": True},
            "simulation": {"node_dir": str(self.simulated)},
            "rules": layer(self.folder, self.rules),
        }
        self.agent = AgentProcess(self.folder / "host", changes | dict(self.changes))

    def __enter__(self) -> Self:
        self.agent.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.agent.stop()

    @property
    def simulated(self) -> Path:
        """The simulated node's folder."""
        return self.folder / "node"

    def is_well_known(self) -> bool:
        """Whether the coordinator has the node connected, complete, and with nothing wrong."""
        with FleetClient(self.coordinator.target) as client:
            try:
                seen = client.node(NodeName(self.name))
            except (NotFound, Unreachable):
                return False
        whole = seen.summary.connected and len(seen.inventory.gpus) == GPUS
        idle = seen.summary.remediation is None and bool(seen.summary.schedulable)
        return whole and idle and not any(condition.is_open for condition in seen.conditions)

    def lose_gpu(self, slot: int = 3) -> float:
        """A GPU falls off the bus, and the kernel says so with Xid 79; when that was, in Unix seconds."""
        began = time.time()
        inject_fault(self.simulated, Lost(gpu=slot))
        return began

    def go_down(self) -> None:
        """The machine is gone, without a word to anybody."""
        self.agent.kill()

    def boot(self) -> None:
        """The machine is up again, and Slurm's daemon on it."""
        reboot(self.simulated)
        self.cluster.finish_reboot(self.name)

    def reboot_at_once(self) -> float:
        """Down, and up with slurmd and agent; how long that took (s), up to where the agent is launched."""
        began = time.monotonic()
        self.go_down()
        self.boot()
        took = time.monotonic() - began
        self.agent.start()
        return took
