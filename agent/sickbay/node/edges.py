"""Which edges a host has: the one place that knows whether it is real or simulated, by configuration."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sickbay.host.boot import read_boot_id
from sickbay.host.clock import Clock, SystemClock
from sickbay.host.commands import SystemCommands
from sickbay.host.host_root import REAL_HOST, HostRoot
from sickbay.host.kernel_view import HostKernel, KernelSide
from sickbay.host.kmsg import DeviceKernelLog, KernelLog, Reading
from sickbay.host.nvml.client import NvmlClient, NvmlSettings
from sickbay.host.nvml.readings import NvmlEvent
from sickbay.host.nvml.source import NvmlSource
from sickbay.node.config import AgentConfig
from sickbay.node.ports import Ports
from sickbay.sim.kernel_log import SimulatedKernelLog
from sickbay.sim.kernel_view import SimulatedKernel
from sickbay.sim.node_dir import NodeDir

_WORKER = (sys.executable, "-m", "sickbay.host.nvml.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    """Where this host's edges are."""

    log: Path
    is_file: bool
    boot_id: Path
    worker: Sequence[str]
    name: str
    root: HostRoot | None
    beside: KernelSide


def ports_of(config: AgentConfig) -> Ports:
    """The edges that the configuration names; BootIdUnknownError where the boot cannot be told."""
    host, clock = _host(config), SystemClock()
    return Ports(
        clock=clock,
        boot_id=read_boot_id(host.boot_id),
        open_log=_opener(host, clock),
        gpus=_driver(config, host, clock) if config.nvml.enabled else None,
        nvml_name=host.name,
        commands=SystemCommands(),
        host=host.root if config.host.enabled else None,
        beside=host.beside,
    )


def _host(config: AgentConfig) -> _Host:
    log = config.kernel_log
    if config.simulation.node_dir:
        node = NodeDir(Path(config.simulation.node_dir))
        worker = (sys.executable, "-m", "sickbay.sim.nvml_worker", str(node.path))
        tree = node.path / "host"
        return _Host(
            log=node.kmsg,
            is_file=True,
            boot_id=node.boot_id,
            worker=worker,
            name="simulated",
            # Without a tree of its own, this machine would be judged under the pretended node's name.
            root=HostRoot.under(tree) if tree.is_dir() else None,
            beside=SimulatedKernel(node),
        )
    return _Host(
        log=Path(log.path),
        is_file=log.form == "file",
        boot_id=Path(log.boot_id),
        worker=config.nvml.worker or _WORKER,
        name="nvidia",
        root=REAL_HOST,
        beside=HostKernel.of_this_host(),
    )


def _opener(host: _Host, clock: Clock) -> Callable[[Reading], KernelLog]:
    def open_log(reading: Reading) -> KernelLog:
        if host.is_file:
            return SimulatedKernelLog(host.log, reading, clock=clock)
        return DeviceKernelLog(reading, clock=clock, device=host.log)

    return open_log


def _driver(
    config: AgentConfig,
    host: _Host,
    clock: Clock,
) -> Callable[[Callable[[NvmlEvent], None], Iterable[str]], NvmlSource]:
    settings = NvmlSettings(
        command=tuple(host.worker), deadlines=config.call_deadlines, interval=config.nvml.sweep
    )

    def connect(on_event: Callable[[NvmlEvent], None], known: Iterable[str]) -> NvmlSource:
        return NvmlClient(clock=clock, settings=settings, on_event=on_event, known=known)

    return connect
