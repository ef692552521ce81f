"""Errors that each memory module has had, from the kernel's EDAC counters.

Documentation/admin-guide/ras.rst and Documentation/ABI/testing/sysfs-devices-edac: counters begin at zero
when the EDAC driver is loaded, so in practice at boot. Hosts whose firmware keeps these errors to itself, and
virtual machines, have no memory controllers here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sickbay.host.kernel_files import content_if_any, names_in, number

_CONTROLLERS = "devices/system/edac/mc"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryModule:
    """One module, or (`mc0`) the errors of a controller that no module was told for.

    `label` is the board's name for the module (`CPU_SrcID#0_MC#0_Chan#0_DIMM#0`), as far as it is known.
    """

    name: str
    label: str
    corrected: int | None
    uncorrected: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulesCounted:
    """Every module by its name, none where there is no EDAC driver.

    `at` is a monotonic second, added by the monitor.
    """

    modules: Mapping[str, MemoryModule]
    at: float = 0.0


def read_memory_modules(sys: Path) -> ModulesCounted:
    """Every module of every controller."""
    root = sys / _CONTROLLERS
    modules = {
        module.name: module
        for controller in names_in(root, "mc")
        if controller[2:].isdecimal()
        for module in _modules(root / controller)
    }
    return ModulesCounted(modules=modules)


def _modules(controller: Path) -> tuple[MemoryModule, ...]:
    """Drivers that cannot tell modules apart name ranks instead."""
    parts = [*names_in(controller, "dimm"), *names_in(controller, "rank")]
    kind = "ce_noinfo_count", "ue_noinfo_count"
    own = MemoryModule(
        name=controller.name,
        label=content_if_any(controller / "mc_name") or "",
        corrected=number(controller / (kind[0] if parts else "ce_count")),
        uncorrected=number(controller / (kind[1] if parts else "ue_count")),
    )
    return (own, *(_module(controller / part) for part in parts))


def _module(folder: Path) -> MemoryModule:
    return MemoryModule(
        name=f"{folder.parent.name}/{folder.name}",
        label=content_if_any(folder / "dimm_label") or "",
        corrected=number(folder / "dimm_ce_count"),
        uncorrected=number(folder / "dimm_ue_count"),
    )
