"""What a kind of GPU, and the node around it, should be: the yardstick of monitors that compare.

A platform is told by the PCI device id (and subsystem id) of its GPUs, never by a part of a name. What a
profile does not say is None: nothing is then expected, and nothing is found missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformProfile:
    """What is expected of one GPU of a kind, and of a node that holds such GPUs. None: not said.

    `pcie_gen` and `pcie_width` are the link's under load; `nvlinks` the links that carry traffic on a healthy
    board; `gpus`, `ports` and `port_rate` (Gb/s) are the node's.
    """

    id: str = ""
    nvlinks: int | None = None
    nvlink_version: int | None = None
    pcie_gen: int | None = None
    pcie_width: int | None = None
    gpus: int | None = None
    ports: int | None = None
    port_rate: float | None = None


UNKNOWN_PLATFORM = PlatformProfile()
"""Of a GPU that no profile lists, nothing is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platforms:
    """Every profile, by the PCI device id in four lower-case hexadecimal digits."""

    by_device: Mapping[str, PlatformProfile] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, pci_device_id: str) -> PlatformProfile:
        """The profile of a GPU; `pci_device_id` as NVML gives it, the vendor last: `0x233010DE`."""
        device = pci_device_id.removeprefix("0x")[:4].lower()
        return self.by_device.get(device, UNKNOWN_PLATFORM)


NO_PLATFORMS = Platforms()
"""Nothing is known of any platform."""
