"""Which edges a host has: the one place that knows whether it is real or simulated, by configuration."""

from pathlib import Path

from sickbay.host.boot import read_boot_id
from sickbay.host.clock import Clock, SystemClock
from sickbay.host.commands import SystemCommands
from sickbay.host.kmsg import DeviceKernelLog, KernelLog, Reading
from sickbay.node.config import AgentConfig
from sickbay.node.ports import Ports
from sickbay.sim.kernel_log import SimulatedKernelLog


def ports_of(config: AgentConfig) -> Ports:
    """The edges that the configuration names; BootIdUnknownError where the boot cannot be told."""
    clock: Clock = SystemClock()
    log = config.kernel_log
    path = Path(log.path)

    def open_log(reading: Reading) -> KernelLog:
        if log.form == "file":
            return SimulatedKernelLog(path, reading, clock=clock)
        return DeviceKernelLog(reading, clock=clock, device=path)

    return Ports(
        clock=clock,
        boot_id=read_boot_id(Path(log.boot_id)),
        open_log=open_log,
        gpus=None,
        commands=SystemCommands(),
    )
