"""Local file systems: space and inodes left, and one that the kernel has stopped writing to."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.host.mount_space import LocalFilesystem, read_filesystems
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import concerned, hundredths, part, said

SOURCES = ("mountinfo", "statvfs")

_STEP = 256 * 1024 * 1024
"""Bytes in which free space is told; see `sickbay.monitors.parts.hundredths`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystems:
    """What is mounted, and which mount points took writes at some time in this boot."""

    mounted: tuple[LocalFilesystem, ...]
    writable: frozenset[str] = frozenset()


def reader(root: HostRoot, settings: HostSettings) -> Callable[[], Filesystems]:
    """Reads the local file systems of a host."""
    return lambda: Filesystems(mounted=read_filesystems(root, settings))


def carry(reading: Filesystems, before: Filesystems | None, _known: HostKnown) -> Filesystems:
    """The reading with what took writes before; what is unmounted now is another thing when it returns."""
    points = {one.mount.point for one in reading.mounted}
    writable = {one.mount.point for one in reading.mounted if not one.mount.read_only}
    earlier = (before.writable if before is not None else frozenset()) & points
    return replace(reading, writable=frozenset(writable | earlier))


def signals(reading: Filesystems, _before: Filesystems | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `filesystem` for each that is mounted, or is not any more and has a condition."""
    mounted = {one.mount.point: one for one in reading.mounted}
    points = sorted(mounted.keys() | concerned("filesystem", known))
    return tuple(
        said(
            "filesystem",
            part("filesystem", point),
            known,
            _fields(mounted.get(point), was_writable=point in reading.writable),
            SOURCES,
        )
        for point in points
    )


def _fields(one: LocalFilesystem | None, *, was_writable: bool) -> dict[str, FieldValue]:
    if one is None:
        return {"mounted": False}
    space = one.space
    return {
        "mounted": True,
        "type": one.mount.type,
        "free": hundredths(space.free) if space is not None else None,
        "free_bytes": space.free_bytes // _STEP * _STEP if space is not None else None,
        "free_inodes": hundredths(space.free_of_inodes) if space is not None else None,
        "read_only": one.mount.read_only,
        "was_writable": was_writable,
    }
