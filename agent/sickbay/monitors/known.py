"""What a monitor may hold a sweep against. No monitor itself."""

from dataclasses import dataclass

from sickbay.core.devices import Inventory
from sickbay.core.platforms import NO_PLATFORMS, PlatformProfile, Platforms
from sickbay.host.nvml.readings import GpuSweep, Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What else is known when a sweep is judged.

    `previous` is the last sweep that read the same group of readings, `baseline` what the host had when
    it was last well.
    """

    previous: Sweep | None = None
    baseline: Inventory | None = None
    platforms: Platforms = NO_PLATFORMS

    def profile_of(self, gpu: GpuSweep) -> PlatformProfile:
        """What is expected of a GPU, by the device id that it says or said when the host was well."""
        told = gpu.text("pci_device_id")
        if not told and self.baseline is not None:
            before = self.baseline.by_pci(gpu.pci)
            told = before.pci_device_id if before is not None else ""
        return self.platforms.of(told)
