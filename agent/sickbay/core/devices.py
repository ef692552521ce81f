"""What a host is made of, and how its parts are named.

A GPU is named by UUID across every boundary, with its PCI address beside it, because an index changes from
one driver load to the next and a lost GPU can no longer say its UUID.
"""

import re
from dataclasses import dataclass
from enum import Enum

_PCI = re.compile(
    r"^(?:PCI:)?(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}):([0-9a-fA-F]{2})(?:\.[0-7])?$",
)


class Scope(Enum):
    """How much of a host a fault concerns."""

    NODE = "node"
    GPU = "gpu"
    LINK = "link"
    PORT = "port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The part of one host that a signal or a condition speaks of.

    `pci` has the form `0000:1b:00`: lower case, no function, because the driver's own lines carry none.
    """

    scope: Scope
    gpu_uuid: str = ""
    pci: str = ""
    link: int | None = None
    name: str = ""

    @property
    def key(self) -> str:
        """The same text for the same part for as long as the part is in its slot.

        The PCI address comes first, because it is all that a lost GPU leaves behind.
        """
        part = self.pci or self.gpu_uuid or self.name
        key = f"{self.scope.value}/{part}" if part else self.scope.value
        return key if self.link is None else f"{key}/{self.link}"

    @property
    def gpu_key(self) -> str:
        """What all subjects on one GPU share; empty for the node itself."""
        return self.pci or self.gpu_uuid


NODE = Subject(scope=Scope.NODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU as NVML described it while it was healthy. Empty text means: the driver did not say.

    `mig` holds the profiles of its MIG devices (`3g.40gb,3g.40gb`), empty for a GPU in one piece.
    """

    uuid: str
    pci: str
    slot: int
    name: str = ""
    serial: str = ""
    vbios: str = ""
    pci_device_id: str = ""
    memory_bytes: int = 0
    nvlinks: int = 0
    mig: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a node holds. `nvml` names the source: `nvidia <version>`, `simulated`, or `none`."""

    gpus: tuple[Gpu, ...] = ()
    driver_version: str = ""
    nvml_version: str = ""
    nvml: str = "none"
    kernel: str = ""

    def by_pci(self, pci: str) -> Gpu | None:
        """The GPU in a slot, or None when the slot is not known."""
        return next((gpu for gpu in self.gpus if gpu.pci == pci), None)

    def missing_from(self, now: "Inventory") -> tuple[Gpu, ...]:
        """The GPUs of this (healthy) inventory whose slot is empty in `now`."""
        present = {gpu.pci for gpu in now.gpus}
        return tuple(gpu for gpu in self.gpus if gpu.pci not in present)


def normalise_pci(text: str) -> str | None:
    """`00000000:1B:00.0`, `PCI:0000:1b:00` and `0000:1B:00.0` all become `0000:1b:00`; None if not PCI.

    NVML prints an 8-digit domain where the kernel prints 4 (nvmlPciInfo_v3 `busId`, nvml.h).
    """
    match = _PCI.match(text.strip())
    if match is None:
        return None
    domain, bus, device = match.groups()
    return f"{int(domain or '0', 16):04x}:{bus.lower()}:{device.lower()}"


def gpu_subject(gpu: Gpu) -> Subject:
    """The subject that stands for a whole GPU."""
    return Subject(scope=Scope.GPU, gpu_uuid=gpu.uuid, pci=gpu.pci)
