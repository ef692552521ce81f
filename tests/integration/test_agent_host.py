"""The real agent on a host whose files are a folder: its ports, its mounts and its own checks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.host_tree import HostTree
from tests.support.waiting import wait_until

from sickbay.sim.simulated_node import create_node


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    node = create_node(tmp_path / "node")
    tree = HostTree(node.path / "host")
    for number in range(8):
        tree.port(f"mlx5_{number}")
    return tree


@pytest.fixture
def agent(tmp_path: Path, tree: HostTree) -> Iterator[AgentProcess]:
    check = tmp_path / "check"
    check.write_text(
        f'#!/bin/sh\n[ -e {tmp_path}/broken ] && {{ echo "CRITICAL - broken"; exit 2; }}; echo OK\n'
    )
    check.chmod(0o755)
    host = {"plugins": [{"name": "ours", "command": [str(check)], "every": "1s"}]}
    changes = {"simulation": {"node_dir": str(tree.folder.parent)}, "host": host}
    # The rules' boot grace is over: it is counted from the boot of the machine that the test runs on.
    with AgentProcess(tmp_path / "agent", changes=changes) as agent:
        yield agent


def ports(agent: AgentProcess) -> dict[str, bool]:
    return {s.subject.name: bool(s.fields["active"]) for s in agent.health().readings if s.kind == "port"}


def test_a_port_that_goes_down_is_a_condition_within_moments(agent: AgentProcess, tree: HostTree) -> None:
    wait_until(lambda: sum(ports(agent).values()) == 8)
    tree.port_down("mlx5_3")
    wait_until(lambda: "PortDown" in agent.open_types())
    (condition,) = (c for c in agent.health().conditions if c.type == "PortDown" and c.is_open)
    assert condition.subject.name == "mlx5_3/1"


def test_a_check_of_the_sites_own_opens_and_ends_its_condition(agent: AgentProcess, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    wait_until(lambda: "PluginCritical" in agent.open_types())
    (tmp_path / "broken").unlink()
    wait_until(lambda: "PluginCritical" not in agent.open_types())


def test_a_simulated_node_without_files_of_its_own_is_not_judged_by_this_machines(tmp_path: Path) -> None:
    node = create_node(tmp_path / "node")
    changes = {"simulation": {"node_dir": str(node.path)}, "host": {"enabled": True}}
    with AgentProcess(tmp_path / "agent", changes=changes) as agent:
        names = {monitor.name for monitor in agent.health().monitors}
        assert not names & {"infiniband", "disks", "filesystems", "mounts"}
