"""How busy the host's processors are, whether all of them are there, and whether heat slows them down."""

from dataclasses import replace

from sickbay.core.devices import NODE
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.cpu_load import CpuReading, PackageThrottling, read_cpus
from sickbay.host.host_root import HostRoot
from sickbay.monitors.coarse import in_steps, power_of_two
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import said


def read(root: HostRoot) -> CpuReading:
    """The processors now; OSError where /proc/loadavg cannot be read."""
    return read_cpus(root.proc, root.sys)


def carry(reading: CpuReading, _before: CpuReading | None, known: HostKnown) -> CpuReading:
    """Remember when it was read."""
    return replace(reading, at=known.now.mono)


def signals(reading: CpuReading, previous: CpuReading | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `cpu` for the node."""
    fields: dict[str, FieldValue] = {
        "online": reading.online,
        "offline": _offline(reading),
        "load_per_cpu": in_steps(_per_cpu(reading), 0.5),
        "waiting": in_steps(reading.waiting, 10.0),
        "waiting_for_io": in_steps(reading.waiting_for_io, 10.0),
        "throttled_times": power_of_two(_throttled_times(reading, previous)),
        "throttled_share": in_steps(_throttled_share(reading, previous), 0.01),
    }
    return (said("cpu", NODE, known, fields, ("proc", "sysfs")),)


def _offline(reading: CpuReading) -> int | None:
    """Unknown where hyper-threading is off: then every second processor is offline on purpose."""
    if reading.has_siblings_off or reading.online is None or reading.present is None:
        return None
    return reading.present - reading.online


def _per_cpu(reading: CpuReading) -> float | None:
    if reading.load is None or not reading.online:
        return None
    return reading.load / reading.online


def _throttled_times(reading: CpuReading, previous: CpuReading | None) -> int | None:
    gained = [_gained(now.times, then.times) for now, then in _pairs(reading, previous)]
    return sum(known for each in gained if (known := each) is not None) if _all_known(gained) else None


def _throttled_share(reading: CpuReading, previous: CpuReading | None) -> float | None:
    """Of the package that was slowed down most, the part of the time, 0 to 1."""
    gained = [_gained(now.milliseconds, then.milliseconds) for now, then in _pairs(reading, previous)]
    if previous is None or not _all_known(gained) or reading.at <= previous.at:
        return None
    most = max(known for each in gained if (known := each) is not None)
    return min(most / 1000 / (reading.at - previous.at), 1.0)


def _pairs(
    reading: CpuReading, previous: CpuReading | None
) -> list[tuple[PackageThrottling, PackageThrottling]]:
    """Each package with itself before; none where either look found no counters, as on AMD and in guests."""
    before = {each.package: each for each in previous.throttling} if previous is not None else {}
    return [(now, before[now.package]) for now in reading.throttling if now.package in before]


def _gained(now: int | None, then: int | None) -> int | None:
    """A counter that went back began anew, when its processor came back online."""
    return None if now is None or then is None or now < then else now - then


def _all_known(gained: list[int | None]) -> bool:
    return bool(gained) and None not in gained
