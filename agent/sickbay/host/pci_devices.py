"""NVIDIA GPUs as the PCI bus shows them: what is there whether or not any driver answers.

Only attributes that the kernel keeps in memory are read (`vendor`, `class`, `device`, the `driver` link), and
never `config`: reading that goes to the device, which a GPU that is off the bus can make slow.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from sickbay.core.devices import normalise_pci

_NVIDIA = "0x10de"
_DISPLAY = ("0x0300", "0x0302")
"""PCI classes: VGA controller and 3D controller. NVSwitches are 0x0680."""

PASSED_ON = frozenset({"vfio-pci", "pci-stub", "xen-pciback"})
"""Kernel drivers that hold a GPU for a virtual machine: it is no GPU of this host then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PciGpu:
    """One GPU. `pci` is `0000:1b:00`, `device` its id (`2330`), `driver` empty when none is bound."""

    pci: str
    device: str = ""
    driver: str = ""

    @property
    def is_passed_on(self) -> bool:
        """Whether it belongs to a virtual machine, and not to this host."""
        return self.driver in PASSED_ON


@dataclass(frozen=True, slots=True, kw_only=True)
class PciView:
    """The bus at one moment, in the order of addresses; `gone` are those where a GPU was and no longer is."""

    gpus: tuple[PciGpu, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def own(self) -> tuple[PciGpu, ...]:
        """The GPUs of this host: all but those that were passed on."""
        return tuple(gpu for gpu in self.gpus if not gpu.is_passed_on)

    def has_passed_on(self, pci: str) -> bool:
        """Whether the GPU at an address was handed to a virtual machine, and so is missed by nobody here."""
        gpu = self.by_pci(pci)
        return gpu is not None and gpu.is_passed_on

    def by_pci(self, pci: str) -> PciGpu | None:
        """The GPU at an address; None when the bus shows none there."""
        return next((gpu for gpu in self.gpus if gpu.pci == pci), None)


class PciBus:
    """The bus of this host. What a device is gets read once for as long as the kernel lists it.

    The inode of its entry is part of the memory, because a device that is plugged anew is a new entry.
    """

    def __init__(self, root: Path = Path("/sys/bus/pci/devices")) -> None:
        self._root = root
        self._known: dict[tuple[str, int], bool] = {}
        self._shown: set[str] = set()

    def look(self) -> PciView | None:
        """The bus now; None where it cannot be read, as in a machine without one. Blocks, below 1 ms."""
        try:
            with os.scandir(self._root) as entries:
                listed = sorted((entry.name, entry.inode()) for entry in entries)
        except OSError:
            return None
        self._known = {
            key: self._known[key] if key in self._known else self._is_gpu(key[0]) for key in listed
        }
        gpus = tuple(self._gpu(name) for (name, _), is_gpu in self._known.items() if is_gpu)
        here = {gpu.pci for gpu in gpus}
        self._shown |= here
        return PciView(gpus=gpus, gone=tuple(sorted(self._shown - here)))

    def _is_gpu(self, name: str) -> bool:
        device = self._root / name
        if _text(device / "vendor") != _NVIDIA or not _text(device / "class").startswith(_DISPLAY):
            return False
        # A virtual function of a shared GPU is a part of the GPU that lends it.
        return normalise_pci(name) is not None and not (device / "physfn").exists()

    def _gpu(self, name: str) -> PciGpu:
        device = self._root / name
        return PciGpu(
            pci=normalise_pci(name) or name,
            device=_text(device / "device").removeprefix("0x"),
            driver=_target(device / "driver"),
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _target(path: Path) -> str:
    try:
        return path.readlink().name
    except OSError:
        return ""
