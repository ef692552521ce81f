"""What is known of a node beside its signals: the circumstances that rules may choose by.

Facts change rarely (a driver load, a new configuration) and are part of every record of a node's history, so
that replaying it meets the same rules. What is not known is empty, and chooses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from sickbay.core.devices import Inventory, Subject
from sickbay.core.platforms import UNKNOWN_PLATFORM, PlatformProfile, Platforms
from sickbay.core.signal_fields import Field, FieldType, FieldValue

NODE_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "node.name": Field(FieldType.TEXT, "the node, as its scheduler knows it"),
        "node.pool": Field(FieldType.TEXT, "the pool that its configuration names"),
        "node.driver": Field(FieldType.TEXT, "the version of NVIDIA's driver"),
    },
)
"""What an expression may say of the node."""

GPU_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "gpu.platform": Field(FieldType.TEXT, "the platform profile that its PCI device id has"),
        "gpu.model": Field(FieldType.TEXT, "its name, as NVML gives it; never a thing to choose by"),
        "gpu.slot": Field(FieldType.INT, "its place in the order of PCI addresses"),
    },
)
"""What an expression may say of the GPU that a signal speaks of; unknown where it speaks of none."""

PROFILE_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "profile.nvlinks": Field(FieldType.INT, "NVLinks that carry traffic on a healthy board"),
        "profile.nvlink_version": Field(FieldType.INT, "NVML's number for their version"),
        "profile.c2c_links": Field(FieldType.INT, "links to a Grace CPU"),
        "profile.pcie_gen": Field(FieldType.INT, "PCIe generation under load"),
        "profile.pcie_width": Field(FieldType.INT, "PCIe lanes under load"),
        "profile.power": Field(FieldType.INT, "the board's default power limit", "W"),
        "profile.gpu_max": Field(FieldType.INT, "its highest operating temperature", "C"),
        "profile.memory_max": Field(FieldType.INT, "the highest operating temperature of its memory", "C"),
        "profile.gpus": Field(FieldType.INT, "GPUs of a node of this kind"),
        "profile.ports": Field(FieldType.INT, "InfiniBand or RoCE ports of such a node"),
        "profile.port_rate": Field(FieldType.FLOAT, "the rate of such a port", "Gb/s"),
    },
)
"""What an expression may say of the GPU's platform profile (sickbay.core.platforms); unknown where that says
nothing."""

CONTEXT: Mapping[str, Field] = MappingProxyType({**NODE_FIELDS, **GPU_FIELDS, **PROFILE_FIELDS})
"""Everything that an expression may name beside the signal itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFacts:
    """One GPU, and what is expected of its kind."""

    profile: PlatformProfile = UNKNOWN_PLATFORM
    model: str = ""
    slot: int | None = None

    @property
    def platform(self) -> str:
        """The id of its profile, empty where no profile lists it."""
        return self.profile.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One node; `gpus` by PCI address (`0000:1b:00`)."""

    node: str = ""
    pool: str = ""
    driver: str = ""
    gpus: Mapping[str, GpuFacts] = field(default_factory=lambda: MappingProxyType({}))

    def gpu_of(self, subject: Subject) -> GpuFacts | None:
        """The GPU that a subject is, or is a part of."""
        return self.gpus.get(subject.pci)

    def values_for(self, subject: Subject) -> Mapping[str, FieldValue]:
        """What expressions may name beside a signal's own fields; what is empty is unknown."""
        return _values(self.node, self.pool, self.driver, self.gpu_of(subject) or _NO_GPU)


_NO_GPU = GpuFacts()


@lru_cache(maxsize=1024)
def _values(node: str, pool: str, driver: str, gpu: GpuFacts) -> Mapping[str, FieldValue]:
    """Kept, because a GPU is asked for at each of its signals and changes with the node's inventory alone."""
    profile = {name: getattr(gpu.profile, name.partition(".")[2]) for name in PROFILE_FIELDS}
    beside = {
        "node.name": node or None,
        "node.pool": pool or None,
        "node.driver": driver or None,
        "gpu.platform": gpu.platform or None,
        "gpu.model": gpu.model or None,
        "gpu.slot": gpu.slot,
    }
    return MappingProxyType(profile | beside)


def facts_of(inventory: Inventory, *, node: str, pool: str, platforms: Platforms) -> Facts:
    """The facts of a node that shows this inventory."""
    gpus = {
        gpu.pci: GpuFacts(profile=platforms.of(gpu.pci_device_id), model=gpu.name, slot=gpu.slot)
        for gpu in inventory.gpus
    }
    return Facts(node=node, pool=pool, driver=inventory.driver_version, gpus=MappingProxyType(gpus))


NO_FACTS = Facts()
"""Nothing is known."""
