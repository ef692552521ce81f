"""How busy the processors are, how many there are, and how much heat has held them back."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sickbay.host.kernel_files import content, content_if_any, cpu_list, number
from sickbay.host.pressure import waiting

_CPUS = "devices/system/cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageThrottling:
    """How often, and for how many milliseconds in all, one processor package was slowed down for heat."""

    package: int
    times: int | None
    milliseconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuReading:
    """The processors at one moment (`at`, a monotonic second that the monitor adds).

    `load` is the average over 5 minutes of tasks that run or wait in state D. `waiting` and `waiting_for_io`
    are percentages of the last minute (some task waited for a processor; every task that could run waited for
    a disk). `has_siblings_off`: hyper-threading is switched off, and half of what is present is offline on
    purpose. None: this kernel does not say.
    """

    at: float = 0.0
    load: float | None = None
    online: int | None = None
    present: int | None = None
    has_siblings_off: bool = False
    waiting: float | None = None
    waiting_for_io: float | None = None
    throttling: tuple[PackageThrottling, ...] = ()


def read_cpus(proc: Path, sys: Path) -> CpuReading:
    """The host's processors now.

    Raises:
        OSError: /proc/loadavg cannot be read.
    """
    load, cpus = content(proc / "loadavg").split(), sys / _CPUS
    online = content_if_any(cpus / "online")
    return CpuReading(
        load=_decimal(load[1]) if len(load) > 1 else None,
        online=_count(online),
        present=_count(content_if_any(cpus / "present")),
        has_siblings_off=(content_if_any(cpus / "smt/control") or "").endswith("off"),
        waiting=waiting(proc, "cpu", "some"),
        waiting_for_io=waiting(proc, "io", "full"),
        throttling=_throttling(cpus, online or ""),
    )


def _decimal(text: str) -> float | None:
    return float(text) if text.replace(".", "", 1).isdecimal() else None


def _count(text: str | None) -> int | None:
    cpus = cpu_list(text)
    return len(cpus) if cpus is not None else None


def _throttling(cpus: Path, online: str) -> tuple[PackageThrottling, ...]:
    return tuple(
        PackageThrottling(
            package=package,
            times=number(folder / "package_throttle_count"),
            milliseconds=number(folder / "package_throttle_total_time_ms"),
        )
        for package, cpu in _first_of_each_package(cpus, online)
        if (folder := cpus / f"cpu{cpu}/thermal_throttle").exists()
    )


@lru_cache(maxsize=2)
def _first_of_each_package(cpus: Path, online: str) -> tuple[tuple[int, int], ...]:
    """(package, its first processor). Every processor of a package shows the package's counters.

    Looking through all 224 of a host costs 2 ms, and the answer holds until a processor comes or goes.
    """
    first: dict[int, int] = {}
    for cpu in sorted(cpu_list(online) or ()):
        package = number(cpus / f"cpu{cpu}/topology/physical_package_id")
        if package is not None:
            first.setdefault(package, cpu)
    return tuple(sorted(first.items()))
