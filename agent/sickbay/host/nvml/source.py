"""What the rest of the agent knows of NVML: a source of sweeps and events that always answers."""

from typing import Protocol

from sickbay.core.outcomes import Outcome
from sickbay.host.nvml.readings import Sweep


class NvmlSource(Protocol):
    """The driver, seen from a process that must never hang. No method raises for what a driver does."""

    async def sweep(self, *, everything: bool = False) -> Sweep:
        """Read of every GPU what is due, or everything; `Sweep.groups` says which that was.

        Answers within the deadline of one driver call, with what could be read.
        """
        ...

    def leave_out(self, pci: str, because: str) -> None:
        """Make no call about this GPU from now on; it is tried again by itself after a back-off."""
        ...

    async def release(self, seconds: float) -> Outcome:
        """Let go of the driver for at most `seconds`. DONE when no process of ours holds it any more."""
        ...

    async def resume(self) -> None:
        """Take the driver again before the release runs out. What was known of each GPU is forgotten."""
        ...

    async def close(self) -> None:
        """End the worker for good, or leave it behind where it hangs."""
        ...
