"""What the kernel has counted of PCIe errors at both ends of each GPU's link.

Source: Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats of the kernel. `aer_dev_correctable`,
`aer_dev_nonfatal` and `aer_dev_fatal` hold a line for each error, `BadTLP 0`, and their sum. The kernel keeps
them in memory: reading asks no device, so a GPU that is off the bus cannot hold the reader up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sickbay.host.host_root import HostRoot
from sickbay.host.pci_devices import PciBus

_FILES: Mapping[str, str] = MappingProxyType(
    {"correctable": "aer_dev_correctable", "non_fatal": "aer_dev_nonfatal", "fatal": "aer_dev_fatal"},
)
_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_LINE = re.compile(r"(\w+) (\d+)")
_SUM = "TOTAL_ERR_"


@dataclass(frozen=True, slots=True, kw_only=True)
class AerCounts:
    """Errors by the kernel's names for them, since boot. None: that kind is not counted here."""

    correctable: Mapping[str, int] | None = None
    non_fatal: Mapping[str, int] | None = None
    fatal: Mapping[str, int] | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the device counts at all: it may have no AER, or the kernel may leave it to firmware."""
        return any(each is not None for each in (self.correctable, self.non_fatal, self.fatal))


@dataclass(frozen=True, slots=True, kw_only=True)
class AerLink:
    """One GPU's link: the GPU's own counts, and those of the port above it (empty: there is none)."""

    pci: str
    gpu: AerCounts
    port: str = ""
    above: AerCounts = AerCounts()


@dataclass(slots=True)
class AerReader:
    """Reads the links of every GPU that the bus shows."""

    root: HostRoot
    _bus: PciBus = field(init=False)

    def __post_init__(self) -> None:
        """Look at the bus of the same host."""
        self._bus = PciBus(self._devices)

    @property
    def _devices(self) -> Path:
        return self.root.sys / "bus" / "pci" / "devices"

    def __call__(self) -> tuple[AerLink, ...]:
        """The links that are counted, by address; none on a host without a PCI bus.

        Raises:
            OSError: when counts are there and cannot be read.
        """
        view = self._bus.look()
        links = [self._link(gpu.pci) for gpu in view.own] if view is not None else []
        return tuple(link for link in links if link.gpu.is_counted or link.above.is_counted)

    def _link(self, pci: str) -> AerLink:
        device = (self._devices / f"{pci}.0").resolve()
        above = device.parent
        if _ADDRESS.fullmatch(above.name) is None:
            return AerLink(pci=pci, gpu=_counts(device))
        return AerLink(pci=pci, gpu=_counts(device), port=above.name, above=_counts(above))


def _counts(device: Path) -> AerCounts:
    return AerCounts(**{kind: _errors(device / file) for kind, file in _FILES.items()})


def _errors(file: Path) -> Mapping[str, int] | None:
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    found = {name: int(count) for name, count in _LINE.findall(text)}
    return MappingProxyType({name: count for name, count in found.items() if not name.startswith(_SUM)})
