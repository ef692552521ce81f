"""A simulated host: a node's folder, the agent that runs on it, and the power that reboots both.

The agent is a real one; only what lies beneath it is pretended. Its reboot command leaves a request in the
folder, and the host then does what a machine does: everything dies at once, the boot_id changes, the kernel
log begins anew, and after a while the agent is started again.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sickbay.host.children import Child, start_child
from sickbay.host.clock import Clock
from sickbay.sim.simulated_node import reboot

_LOOK = 0.02
"""Seconds between two looks for a request to reboot."""

_REQUEST = "reboot-requested"


class Power(Enum):
    """Whether the host is up."""

    OFF = "off"
    UP = "up"
    BOOTING = "booting"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """`folder` is the node's; `agent` the command line of its agent; `boot` how long a boot takes (s)."""

    folder: Path
    agent: Sequence[str]
    log: Path
    boot: float = 2.0
    env: Mapping[str, str] | None = None


class SimulatedHost:
    """One host and its power switch. `run` is its life; `stop` ends it and its agent."""

    def __init__(self, settings: HostSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._agent: Child | None = None
        self.power = Power.OFF
        self.reboots = 0

    @property
    def agent_exit(self) -> int | None:
        """How the agent ended by itself while the host was up; None if it runs, or the host is not up."""
        if self.power is not Power.UP or self._agent is None:
            return None
        return self._agent.exit_code

    def switch_on(self) -> None:
        """Start the agent."""
        request_file(self._settings.folder).unlink(missing_ok=True)
        self._agent = start_child(self._settings.agent, log=self._settings.log, env=self._settings.env)
        self.power = Power.UP

    async def run(self) -> None:
        """Reboot whenever it is asked for, for ever."""
        while True:
            await self._clock.sleep(_LOOK)
            if request_file(self._settings.folder).exists():
                await self.reboot()

    async def reboot(self) -> None:
        """Down without a word to anybody, as a machine goes, and up again on a new boot."""
        self.power = Power.BOOTING
        if self._agent is not None:
            self._agent.kill()
            await self._agent.stop(self._clock, grace=1.0)
        await self._clock.sleep(self._settings.boot)
        reboot(self._settings.folder)
        self.reboots += 1
        self.switch_on()

    async def stop(self) -> None:
        """Off for good: the agent is asked to end, and made to within five seconds."""
        self.power = Power.OFF
        if self._agent is not None:
            await self._agent.stop(self._clock, grace=5.0)


def request_file(folder: Path) -> Path:
    """What a simulated host looks for."""
    return folder / _REQUEST


def reboot_command(folder: Path) -> tuple[str, ...]:
    """The agent's `reboot_command` on this host."""
    return (sys.executable, "-m", "sickbay.sim.ask_reboot", str(folder))
