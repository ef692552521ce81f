"""Network mounts: whether what serves them answers. A job on a mount that hangs hangs with it, unkillable."""

from collections.abc import Callable
from dataclasses import dataclass

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.host.mount_space import RemoteMount, remote_mount_reader
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import concerned, hundredths, part, said

SOURCES = ("mountinfo", "statvfs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts:
    """The network mounts and their answers."""

    mounted: tuple[RemoteMount, ...]


def reader(root: HostRoot, settings: HostSettings) -> Callable[[], Mounts]:
    """Asks the network mounts of a host."""
    ask = remote_mount_reader(root, settings)
    return lambda: Mounts(mounted=ask())


def signals(reading: Mounts, _before: Mounts | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `network_mount` for each that is mounted, or is not any more and has a condition."""
    mounted = {one.mount.point: one for one in reading.mounted}
    return tuple(
        said("network_mount", part("mount", point), known, _fields(mounted.get(point)), SOURCES)
        for point in sorted(mounted.keys() | concerned("mount", known))
    )


def _fields(one: RemoteMount | None) -> dict[str, FieldValue]:
    if one is None:
        return {"mounted": False}
    return {
        "mounted": True,
        "type": one.mount.type,
        "server": one.mount.source,
        "answers": one.answers,
        "stale": one.is_stale if one.answers is not None else None,
        "free": hundredths(one.space.free) if one.space is not None else None,
    }
