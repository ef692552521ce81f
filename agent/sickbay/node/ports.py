"""The edges of this process, as one value: what a test replaces, and nothing else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sickbay.core.ids import BootId
from sickbay.host.clock import Clock
from sickbay.host.commands import CommandRunner, SystemCommands
from sickbay.host.host_root import HostRoot
from sickbay.host.kernel_view import KernelSide
from sickbay.host.kmsg import KernelLog, Reading
from sickbay.host.nvml.readings import NvmlEvent
from sickbay.host.nvml.source import NvmlSource
from sickbay.monitors.plugins import OUTPUT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The host as this agent meets it, real or simulated: nothing above can tell.

    `gpus` makes the driver's client, given who is told of its events and the PCI addresses of the GPUs that
    the host had when it was well; None where no driver is watched.
    `beside` is what the kernel says of GPUs apart from the driver's library; None where nothing can be asked.
    `host` is where the host's own files are; None where only its GPUs and its kernel log are watched.
    `plugin_commands` run the site's own checks, of whose output little is kept.
    `nvml_name` is what stands before the driver's version in an inventory: `nvidia`, or `simulated`.
    """

    clock: Clock
    boot_id: BootId
    open_log: Callable[[Reading], KernelLog]
    gpus: Callable[[Callable[[NvmlEvent], None], Iterable[str]], NvmlSource] | None
    nvml_name: str
    commands: CommandRunner
    host: HostRoot | None = None
    plugin_commands: CommandRunner = field(default_factory=lambda: SystemCommands(output_limit=OUTPUT_LIMIT))
    beside: KernelSide | None = None
