"""Disks and md arrays: whether those that were there still are, and whether the kernel can use them.

sysfs says nothing of a disk that is gone, so what was there in this boot is remembered. A disk that went away
while it was mounted was lost; one that nobody used was taken out, as volumes of a cluster are all day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.disks import Array, Disk, read_arrays, read_disks
from sickbay.host.host_root import HostRoot
from sickbay.host.mount_table import read_mounts
from sickbay.monitors.counter_hours import CounterHours
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import concerned, part, said

SOURCES = ("sysfs",)

_USABLE = frozenset({"live", "running", "resetting", "connecting", "new", "created", "quiesce"})
"""States from which a disk comes back by itself: drivers/nvme/host/core.c, drivers/scsi/scsi_sysfs.c."""

_OF_NO_USE = frozenset(
    {"dead", "deleting", "deleting (no IO)", "offline", "transport-offline", "blocked", "cancel", "deleted"}
)
_BROKEN = frozenset({"broken", "inactive"})
_ERRORS = "io_errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Disks and arrays that show, what did in this boot, and the failed commands of the last hour.

    `mounted` are the volumes that mounts stand on, by device number and by path.
    """

    disks: tuple[Disk, ...]
    arrays: tuple[Array, ...]
    mounted: frozenset[str] = frozenset()
    known_disks: Mapping[str, Disk] = field(default_factory=lambda: MappingProxyType({}))
    known_arrays: frozenset[str] = frozenset()
    hours: Mapping[str, CounterHours] = field(default_factory=lambda: MappingProxyType({}))


def read(root: HostRoot) -> Storage:
    """The disks and arrays of a host."""
    mounts = read_mounts(root)
    return Storage(
        disks=read_disks(root),
        arrays=read_arrays(root),
        mounted=frozenset(volume for mount in mounts for volume in (mount.device, mount.source)),
    )


def carry(reading: Storage, before: Storage | None, known: HostKnown) -> Storage:
    """The reading with what was there before it."""
    past = before.hours if before is not None else {}
    return replace(
        reading,
        known_disks={**(before.known_disks if before else {}), **{disk.name: disk for disk in reading.disks}},
        known_arrays=frozenset(array.name for array in reading.arrays)
        | (before.known_arrays if before else frozenset()),
        hours={disk.name: _hours(disk, past.get(disk.name), known.now.mono) for disk in reading.disks},
    )


def signals(reading: Storage, _before: Storage | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `disk` and one `md_array` for each that was there in this boot, or has a condition."""
    arrays = {array.name: array for array in reading.arrays}
    return (
        *(
            said("disk", part("disk", name), known, _disk(name, reading), SOURCES)
            for name in sorted(reading.known_disks.keys() | concerned("disk", known))
        ),
        *(
            said("md_array", part("md_array", name), known, _array(arrays.get(name)), SOURCES)
            for name in sorted(reading.known_arrays | concerned("md_array", known))
        ),
    )


def _hours(disk: Disk, past: CounterHours | None, at: float) -> CounterHours:
    raw = {} if disk.io_errors is None else {_ERRORS: disk.io_errors}
    return past.later(raw, at) if past is not None else CounterHours.first(raw, at)


def _disk(name: str, reading: Storage) -> dict[str, FieldValue]:
    """What a disk's driver has no word for is left out: virtio disks have no state, NVMe counts no errors."""
    disk, hours = reading.known_disks.get(name), reading.hours.get(name)
    in_use = None if disk is None else disk.is_held or not reading.mounted.isdisjoint(disk.volumes)
    if disk is None or hours is None:
        return {"present": False, "in_use": in_use, "live": False, "state": "gone"}
    return {
        "present": True,
        "in_use": in_use,
        **({"live": _is_live(disk.state), "state": disk.state} if disk.state else {}),
        **({"io_errors": hours.in_hour(_ERRORS)} if hours.raw else {}),
    }


def _is_live(state: str) -> bool | None:
    """None for a state that nobody told us of: another kernel's word is no fault."""
    return False if state in _OF_NO_USE else True if state in _USABLE else None


def _array(array: Array | None) -> dict[str, FieldValue]:
    if array is None:
        return {"present": False, "missing": None, "state": None, "broken": None}
    return {
        "present": True,
        # A level without redundancy (RAID 0) has no `degraded`, and so nothing that it could lack and live.
        **({} if array.missing is None else {"missing": array.missing}),
        "state": array.state,
        "broken": None if array.state is None else array.state in _BROKEN,
    }
