"""Whether the driver is loaded, and whether a process that starts now could use it."""

from sickbay.core.devices import NODE
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.driver_versions import DriverVersions
from sickbay.host.nvml.catalogue import VERSION_MISMATCH, describe_code
from sickbay.host.nvml.readings import Sweep
from sickbay.monitors.known import Known
from sickbay.monitors.levels import SOURCE

_REFUSAL = describe_code(VERSION_MISMATCH)


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `driver` for the node. The versions are compared on disk too: our own worker may be older."""
    files = known.kernel.driver
    fields: dict[str, FieldValue] = {
        "loaded": None if files is None else files.loaded,
        "module": (files.module or None) if files is not None else None,
        "library": (files.library or None) if files is not None else None,
        "mismatch": _mismatch(sweep, files),
        "gpus_on_bus": None if known.kernel.pci is None else len(known.kernel.pci.own),
    }
    sources = (SOURCE,) if files is None else (SOURCE, "files")
    return (Signal(kind="driver", subject=NODE, at=sweep.at, fields=fields, sources=sources),)


def _mismatch(sweep: Sweep, files: DriverVersions | None) -> bool | None:
    """True when NVML refused us for it, or the two files differ; False only when both are known."""
    if sweep.unavailable is not None and _REFUSAL in sweep.unavailable.reason:
        return True
    if files is None or not files.module or not files.library:
        # An NVML that answers was no other than the module when its worker started.
        return None if sweep.unavailable is not None or sweep.broken_off else False
    return files.module != files.library
