"""What the demonstration runs: a real coordinator, a real agent on each of four hosts, and their files.

Everything lives in one folder and is reached through loopback and unix sockets. Nothing here can touch the
machine that it runs on: this host's own agent is given a reboot command that refuses.
"""

import asyncio
import ctypes
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sickbay.host.children import Child, start_child
from sickbay.host.clock import Clock, SystemClock
from sickbay.rpc.fleet_client import FleetClient
from sickbay.rpc.questions import Unreachable
from sickbay.sim.host import HostSettings, SimulatedHost, reboot_command
from sickbay.sim.known_profiles import USUAL
from sickbay.sim.simulated_node import create_node

THIS_HOST = "this-host"
SIMULATED = ("sim-1", "sim-2", "sim-3")

_SOAK = "2s"
_BOOT = 2.0
"""Seconds that a simulated host takes to boot; a real one takes minutes."""

_START = 60.0
"""Seconds within which everything must be up, also on a busy machine."""

_REFUSE = "raise SystemExit('the demonstration never reboots the machine that it runs on')"

_REMEDIES = [{"id": "drain-and-reboot", "validation": {"soak": _SOAK}}]


_LONGEST_FOLDER = 60
"""Characters; a unix socket's whole path may have 107 (unix(7)), and ours lie three levels down."""


class StageError(Exception):
    """Something did not come up; the message says what, and what it said last."""


def temporary_parent() -> str | None:
    """Where to make the folder: the usual place, unless sockets in it would have too long a name."""
    return None if len(tempfile.gettempdir()) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108 - made by mkdtemp


def real_driver() -> bool:
    """Whether this machine has NVIDIA's driver library; it is not asked anything here."""
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


@dataclass(slots=True)
class Stage:
    """Where everything is, and what is running."""

    folder: Path
    profile: str = USUAL
    clock: Clock = field(default_factory=SystemClock)
    has_driver: bool = field(default_factory=real_driver)
    hosts: dict[str, SimulatedHost] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    target: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All nodes of the fleet."""
        return (THIS_HOST, *SIMULATED)

    def socket(self, name: str) -> Path:
        """Where the agent of a host answers."""
        return self.folder / name / "run" / "agent.sock"

    def log(self, name: str) -> Path:
        """What a program said."""
        return self.folder / f"{name}.log"

    def node_dir(self, name: str) -> Path:
        """What a simulated host consists of."""
        return self.folder / name / "host"


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[FleetClient]:
    """The whole fleet, up and connected; ended afterwards, whatever happens in between."""
    power: list[asyncio.Task[None]] = []
    try:
        await _start_coordinator(stage)
        for name in stage.names:
            _start_agent(stage, name)
        power = [asyncio.create_task(host.run()) for host in stage.hosts.values()]
        with FleetClient(stage.target, timeout=5.0) as fleet:
            await _all_connected(stage, fleet)
            yield fleet
    finally:
        for task in power:
            task.cancel()
        ends = await asyncio.gather(*power, return_exceptions=True)
        await asyncio.gather(
            *(host.stop() for host in stage.hosts.values()),
            *(child.stop(stage.clock, grace=5.0) for child in stage.children),
        )
        broken = [end for end in ends if isinstance(end, Exception)]
        if broken:
            raise StageError(f"a simulated host failed: {broken[0]!r}") from broken[0]


async def _start_coordinator(stage: Stage) -> None:
    addresses = stage.folder / "coordinator.address"
    config = _write(stage.folder / "coordinator.yaml", _coordinator(stage, addresses))
    argv = (sys.executable, "-m", "sickbay.coordinator.main", "--config", str(config))
    coordinator = start_child(argv, log=stage.log("coordinator"))
    stage.children.append(coordinator)
    async for _ in _patience(stage, "the coordinator"):
        if coordinator.exit_code is not None:
            raise StageError(f"the coordinator ended at once; it said:\n{last_words(stage, 'coordinator')}")
        if addresses.exists() and (lines := addresses.read_text(encoding="utf-8").split()):
            stage.target = lines[0]
            return


def _start_agent(stage: Stage, name: str) -> None:
    is_real = name == THIS_HOST and stage.has_driver
    config = _write(stage.folder / f"{name}.yaml", _agent(stage, name, is_real=is_real))
    argv = (sys.executable, "-m", "sickbay.node.main", "--config", str(config))
    if is_real:
        stage.children.append(start_child(argv, log=stage.log(name)))
        return
    create_node(stage.node_dir(name), profile=stage.profile, salt=name)
    settings = HostSettings(folder=stage.node_dir(name), agent=argv, log=stage.log(name), boot=_BOOT)
    stage.hosts[name] = SimulatedHost(settings, stage.clock)
    stage.hosts[name].switch_on()


async def _all_connected(stage: Stage, fleet: FleetClient) -> None:
    """Every agent has told its full state, with its GPUs in it."""
    async for _ in _patience(stage, "the agents"):
        for name, host in stage.hosts.items():
            if host.agent_exit is not None:
                raise StageError(f"the agent of {name} ended by itself; it said:\n{last_words(stage, name)}")
        with suppress(Unreachable):
            nodes = await asyncio.to_thread(fleet.nodes)
            seen = {str(node.node): node for node in nodes if node.connected}
            if all(name in seen for name in stage.names) and all(seen[name].gpus for name in stage.hosts):
                return


async def _patience(stage: Stage, whom: str) -> AsyncIterator[None]:
    """Again and again, until the time is up: then StageError."""
    deadline = stage.clock.now().mono + _START
    while stage.clock.now().mono < deadline:
        yield
        await stage.clock.sleep(0.1)
    said = "\n".join(f"{name}: {last_words(stage, name)}" for name in ("coordinator", *stage.names))
    raise StageError(f"{whom} did not come up within {_START:.0f}s; they said:\n{said}")


def last_words(stage: Stage, name: str) -> str:
    """The end of a program's log, which goes with the folder."""
    log = stage.log(name)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"  {line}" for line in lines[-10:]) or "  nothing"


def _coordinator(stage: Stage, addresses: Path) -> dict[str, object]:
    return {
        "name": "demo",
        "listen": ["127.0.0.1:0"],
        "address_file": str(addresses),
        "state_dir": str(_made(stage.folder / "coordinator")),
        "metrics": "",
        "mode": "act",
        "heartbeat": "1s",
        "rules": [str(_site_rules(stage))],
        "orchestrator": {"standalone": {"hosts_run_no_jobs": True}, "busy_look": "200ms"},
        "patience": {"poll": "200ms"},
    }


def _agent(stage: Stage, name: str, *, is_real: bool) -> dict[str, object]:
    folder = _made(stage.folder / name)
    never = [sys.executable, "-c", _REFUSE]
    config: dict[str, object] = {
        "node": name,
        "coordinators": [stage.target],
        "state_dir": str(_made(folder / "state")),
        "runtime_dir": str(_made(folder / "run")),
        "metrics": "",
        "rules": [],
        "nvml": {"sweep": "10s" if is_real else "2s"},
    }
    if not is_real:
        config["simulation"] = {"node_dir": str(stage.node_dir(name))}
        config["actuators"] = {"reboot_command": list(reboot_command(stage.node_dir(name)))}
    if name == THIS_HOST:
        config["actuators"] = {"reboot_command": never}
    return config


def _site_rules(stage: Stage) -> Path:
    """The built-in remedies with a shorter soak: a minute of watching would be long in a demonstration."""
    folder = _made(stage.folder / "rules")
    _write(folder / "remedies.yaml", _REMEDIES)
    return folder


def _write(path: Path, value: object) -> Path:
    path.write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")
    return path


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def how_to_look(stage: Stage) -> Iterator[str]:
    """Commands for a person who looks around in a fleet that is held."""
    yield f"export SICKBAY_COORDINATOR={stage.target} SICKBAY_AGENT_SOCKET={stage.socket(THIS_HOST)}"
    yield "sickbay nodes"
    yield "sickbay incidents --all"
    yield "sickbay status"
