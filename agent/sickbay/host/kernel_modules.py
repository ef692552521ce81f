"""Which of the modules that GPUs need are loaded, and what has happened to this kernel since boot."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sickbay.host.kernel_files import content_if_any, names_in, number
from sickbay.host.pci_devices import PciBus, PciView

_OPEN = "Open Kernel Module"
"""In /proc/driver/nvidia/version: `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06 …`; the
proprietary module says `NVIDIA UNIX x86_64 Kernel Module`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulesReading:
    """`loaded` names modules as sysfs does; `taint` is the mask of /proc/sys/kernel/tainted.

    `gpus` counts those that no guest has (None: no PCI bus to see), `infiniband` the RDMA
    devices. `is_open` None: no driver is loaded,
    or it does not say. `driver` is the version of the loaded module.
    The file from which the module was loaded is not compared: reading its version means unpacking it, and
    that a newer library waits for a reboot is seen by `sickbay.host.driver_versions`.
    """

    loaded: frozenset[str]
    gpus: int | None = None
    infiniband: int = 0
    driver: str = ""
    is_open: bool | None = None
    taint: int | None = None


WATCHED = ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_peermem", "nouveau")


def modules_of(proc: Path, sys: Path) -> Callable[[], ModulesReading]:
    """A reader of the modules, which remembers what the PCI bus holds.

    It raises OSError where there is no /sys/module to look into.
    """
    bus = PciBus(sys / "bus/pci/devices")
    return lambda: _read(proc, sys, bus.look())


def _read(proc: Path, sys: Path, pci: PciView | None) -> ModulesReading:
    (sys / "module").stat()
    version = content_if_any(proc / "driver/nvidia/version")
    return ModulesReading(
        loaded=frozenset(name for name in WATCHED if _is_loaded(sys / "module" / name)),
        gpus=None if pci is None else len(pci.own),
        infiniband=len(names_in(sys / "class/infiniband")),
        driver=content_if_any(sys / "module/nvidia/version") or "",
        is_open=_OPEN in version if version else None,
        taint=number(proc / "sys/kernel/tainted"),
    )


def _is_loaded(module: Path) -> bool:
    """A module that is still coming or already going (`initstate`) is not there for anybody."""
    return module.exists() and content_if_any(module / "initstate") in {None, "live"}
