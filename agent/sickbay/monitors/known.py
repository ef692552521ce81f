"""What a monitor may hold a sweep against. No monitor itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sickbay.core.devices import Inventory, Subject
from sickbay.core.platforms import NO_PLATFORMS, PlatformProfile, Platforms
from sickbay.host.kernel_view import NOTHING_SEEN, KernelView
from sickbay.host.nvml.readings import GpuSweep, Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What else is known when a sweep is judged.

    `previous` is the last sweep that read the same group of readings, `baseline` what the host had when
    it was last well, `kernel` the last look at what the kernel says. `latest` holds, by group of readings and
    PCI address, what was read of a GPU when it last answered for that group, this sweep included.
    `concerned` are the parts with an open condition: of one that is well again its monitor says so.
    """

    previous: Sweep | None = None
    baseline: Inventory | None = None
    platforms: Platforms = NO_PLATFORMS
    kernel: KernelView = NOTHING_SEEN
    latest: Mapping[tuple[str, str], GpuSweep] = field(default_factory=lambda: MappingProxyType({}))
    concerned: frozenset[Subject] = frozenset()

    def last_of(self, gpu: GpuSweep, group: str) -> GpuSweep | None:
        """The same GPU when it last answered for a group of readings; None when it never did."""
        found = self.latest.get((group, gpu.pci))
        return found if found is not None and found.uuid == gpu.uuid else None

    def profile_of(self, gpu: GpuSweep) -> PlatformProfile:
        """What is expected of a GPU, by the device id that it says or said when the host was well."""
        told = gpu.text("pci_device_id")
        if not told and self.baseline is not None:
            before = self.baseline.by_pci(gpu.pci)
            told = before.pci_device_id if before is not None else ""
        return self.platforms.of(told, gpu.text("pci_subsystem_id"))
