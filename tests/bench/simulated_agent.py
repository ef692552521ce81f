"""A real agent on this host's kernel log and a simulated driver with eight GPUs, connected and idle.

Only the driver is simulated: the simulated kernel log is a file that must be polled, which would be measured
instead of the agent.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.bench.processes import wait_until

from sickbay.sim.simulated_node import create_node

START_S = 60.0
GPUS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAgent:
    """Its process, and the socket of its local API."""

    pid: int
    socket: Path


@contextmanager
def simulated_agent() -> Iterator[RunningAgent]:
    """The agent, up, connected and seeing all its GPUs; ended afterwards, its coordinator too."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(running("coordinator.main", folder, coordinator_config(folder)))
        addresses = folder / "addresses"
        wait_until(lambda: bool(read(addresses)), deadline_s=START_S, what="a coordinator")
        create_node(folder / "node")
        settings = agent_config(folder, read(addresses).split()[0])
        agent = stack.enter_context(running("node.launch", folder, settings))
        socket = folder / "run" / "agent.sock"
        wait_until(lambda: is_up(socket), deadline_s=START_S, what="an agent that sees its GPUs")
        yield RunningAgent(pid=agent.pid, socket=socket)


def coordinator_config(folder: Path) -> dict[str, object]:
    """One that only watches, on any free port."""
    return {
        "listen": ["127.0.0.1:0"],
        "address_file": str(folder / "addresses"),
        "state_dir": str(folder / "coordinator"),
        "metrics": "",
        "rules": [],
    }


def agent_config(folder: Path, coordinator: str) -> dict[str, object]:
    """Default intervals, and the simulated driver in the place of the real one."""
    worker = [sys.executable, "-m", "sickbay.sim.nvml_worker", str(folder / "node")]
    return {
        "node": "bench",
        "coordinators": [coordinator],
        "state_dir": str(folder / "state"),
        "runtime_dir": str(folder / "run"),
        "metrics": "",
        "rules": [],
        "nvml": {"worker": worker},
    }


@contextmanager
def running(program: str, folder: Path, config: dict[str, object]) -> Iterator["subprocess.Popen[bytes]"]:
    """One of the daemons, ended by SIGTERM; its log is in the folder as long as that lasts."""
    path = folder / f"{program}.yaml"
    path.write_text(yaml.safe_dump(config))
    with (folder / f"{program}.log").open("wb") as log:
        command = [sys.executable, "-m", f"sickbay.{program}", "--config", str(path)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def read(path: Path) -> str:
    """A file's text; empty when there is none yet."""
    return path.read_text() if path.exists() else ""


def is_up(socket: Path) -> bool:
    """Whether the agent answers, sees its GPUs and has found its coordinator."""
    command = [Path(sys.executable).with_name("sickbay"), "status", "--socket", str(socket), "-o", "json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    view = json.loads(said) if said else {}
    return len(view.get("inventory", {}).get("gpus", [])) == GPUS and view.get("coordinator_connected", False)
