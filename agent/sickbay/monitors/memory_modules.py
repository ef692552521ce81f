"""Errors that the host's memory modules have had, by the module's own name, and how many came of late."""

from dataclasses import replace

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.memory_modules import MemoryModule, ModulesCounted, read_memory_modules
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import part, said


def read(root: HostRoot) -> ModulesCounted:
    """All counters now; none where no EDAC driver keeps any."""
    return read_memory_modules(root.sys)


def carry(reading: ModulesCounted, _before: ModulesCounted | None, known: HostKnown) -> ModulesCounted:
    """Remember when it was read."""
    return replace(reading, at=known.now.mono)


def signals(reading: ModulesCounted, previous: ModulesCounted | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `memory_module` for each module, and for each controller's errors that it could not place."""
    return tuple(
        said(
            "memory_module",
            part("memory", name),
            known,
            _fields(module, _before(name, previous), _span(reading, previous)),
            ("edac",),
        )
        for name, module in reading.modules.items()
    )


def _fields(module: MemoryModule, before: MemoryModule | None, span: float) -> dict[str, FieldValue]:
    more = _more(module.corrected, before.corrected) if before is not None else None
    return {
        "label": module.label or module.name,
        "corrected": module.corrected,
        "uncorrected": module.uncorrected,
        "corrected_new": more,
        "corrected_rate": round(more / span, 3) if more is not None and span > 0 else None,
    }


def _before(name: str, previous: ModulesCounted | None) -> MemoryModule | None:
    return previous.modules.get(name) if previous is not None else None


def _span(reading: ModulesCounted, previous: ModulesCounted | None) -> float:
    return reading.at - previous.at if previous is not None else 0.0


def _more(now: int | None, then: int | None) -> int | None:
    """A counter that went back was set to zero: what came since is unknown."""
    return None if now is None or then is None or now < then else now - then
