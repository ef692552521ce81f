"""PCIe errors that the kernel has counted at both ends of each GPU's link: a second source beside NVML's.

A bad lane may be seen by the GPU, by the port above it, or by both, so both are counted together.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.host.pcie_aer import AerCounts, AerLink, AerReader
from sickbay.monitors.host_known import HostKnown

_SOURCES = ("sysfs",)
_KINDS = ("correctable", "non_fatal", "fatal")
"""From the mildest to the gravest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AerReading:
    """All links at one time; `at` is monotonic, 0 while nobody has said when it was."""

    links: tuple[AerLink, ...]
    at: float = 0.0

    def by_pci(self, pci: str) -> AerLink | None:
        """The link of the GPU at an address."""
        return next((link for link in self.links if link.pci == pci), None)


def reader(root: HostRoot, _settings: HostSettings) -> Callable[[], AerReading]:
    """The reader of a host."""
    read = AerReader(root)
    return lambda: AerReading(links=read())


def carry(reading: AerReading, _before: AerReading | None, known: HostKnown) -> AerReading:
    """The reading with its time."""
    return replace(reading, at=known.now.mono)


def signals(reading: AerReading, before: AerReading | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `pcie_aer` a GPU whose link is counted. What is new is unknown at the first reading."""
    return tuple(_signal(link, reading, before, known) for link in reading.links)


def _signal(link: AerLink, reading: AerReading, before: AerReading | None, known: HostKnown) -> Signal:
    past = before.by_pci(link.pci) if before is not None else None
    gained = {kind: _gained(link, past, kind) for kind in _KINDS}
    minutes = (reading.at - before.at) / 60.0 if before is not None else 0.0
    fields: dict[str, FieldValue] = {
        "port": link.port,
        **{kind: _total(link, kind) for kind in _KINDS},
        "correctable_per_minute": _rate(gained["correctable"], minutes),
        "new_non_fatal": _sum(gained["non_fatal"]),
        "new_fatal": _sum(gained["fatal"]),
        "worst": _worst(gained),
    }
    gpu = known.inventory.by_pci(link.pci)
    subject = Subject(scope=Scope.GPU, gpu_uuid=gpu.uuid if gpu is not None else "", pci=link.pci)
    return Signal(kind="pcie_aer", subject=subject, at=known.now, fields=fields, sources=_SOURCES)


def _ends(link: AerLink) -> tuple[AerCounts, ...]:
    return (link.gpu, link.above) if link.port else (link.gpu,)


def _total(link: AerLink, kind: str) -> int | None:
    counts = [counted for end in _ends(link) if (counted := getattr(end, kind)) is not None]
    return sum(sum(each.values()) for each in counts) if counts else None


def _gained(link: AerLink, past: AerLink | None, kind: str) -> Mapping[str, int] | None:
    """What each error gained at both ends; None where nobody counts, or a count went back (a device anew)."""
    if past is None or past.port != link.port or _total(link, kind) is None:
        return None
    gained: Counter[str] = Counter()
    for now, then in zip(_ends(link), _ends(past), strict=True):
        counted, before = getattr(now, kind), getattr(then, kind)
        if counted is None and before is None:
            continue
        if counted is None or before is None or _went_back(before, counted):
            return None
        gained.update({name: count - before.get(name, 0) for name, count in counted.items()})
    return gained


def _went_back(before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    return any(now.get(name, 0) < was for name, was in before.items())


def _sum(gained: Mapping[str, int] | None) -> int | None:
    return None if gained is None else sum(gained.values())


def _rate(gained: Mapping[str, int] | None, minutes: float) -> float | None:
    return None if gained is None or minutes <= 0 else round(sum(gained.values()) / minutes, 2)


def _worst(gained: Mapping[str, Mapping[str, int] | None]) -> str | None:
    """The error that grew most among the gravest that grew, in the kernel's word; nothing where none did."""
    for kind in reversed(_KINDS):
        grown = Counter({name: more for name, more in (gained[kind] or {}).items() if more})
        if grown:
            return grown.most_common(1)[0][0]
    return None if None in gained.values() else ""
