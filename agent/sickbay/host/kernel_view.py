"""What the kernel says of GPUs and of those who use them, apart from the driver's library."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from sickbay.host.driver_versions import DriverFiles, DriverVersions
from sickbay.host.job_of_process import Processes, ProcessView
from sickbay.host.pci_devices import PciBus, PciView


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelView:
    """One look. None is unknown: it could not be read, or means nothing here."""

    pci: PciView | None = None
    driver: DriverVersions | None = None
    processes: Mapping[int, ProcessView] | None = None


NOTHING_SEEN = KernelView()
"""No look was taken."""


class KernelSide(Protocol):
    """Where looks are taken: this host, or a simulated one."""

    def look(self, pids: Collection[int]) -> KernelView:
        """What is so now, with these processes. Blocks: small files of the kernel's own, a few ms at most."""
        ...


class HostKernel:
    """This host's kernel."""

    def __init__(
        self,
        *,
        bus: PciBus | None = None,
        driver: DriverFiles | None = None,
        processes: Processes | None = None,
    ) -> None:
        """`processes` None: the driver's pids cannot be looked up from here."""
        self._bus = bus or PciBus()
        self._driver = driver or DriverFiles()
        self._processes = processes

    @classmethod
    def of_this_host(cls) -> "HostKernel":
        """The real one."""
        return cls(processes=Processes.of_this_host())

    def look(self, pids: Collection[int]) -> KernelView:
        """See KernelSide."""
        return KernelView(
            pci=self._bus.look(),
            driver=self._driver.look(),
            processes=None if self._processes is None else self._processes.look(pids),
        )
