"""Disks and md arrays as sysfs shows them: `/sys/block/<name>`.

Sources: Documentation/ABI/testing/sysfs-block, Documentation/admin-guide/md.rst, drivers/scsi/scsi_sysfs.c,
drivers/nvme/host/sysfs.c of the kernel. What SMART says needs root and a command to the disk, and is not
asked here.
"""

import os
import re
from dataclasses import dataclass

from sickbay.host.host_root import HostRoot
from sickbay.host.kernel_files import content_if_any, names_in, number

_ARRAY = re.compile(r"md\w+")
_PATH_OF_MANY = re.compile(r"nvme\d+c\d+n\d+")
"""One of several ways to a namespace; the namespace itself stands beside it."""

_CONTROLLER = re.compile(r"nvme\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One disk. `state` is the kernel's word, empty where its driver has none; `io_errors` only grows.

    `io_errors` counts commands of SCSI and SATA disks that failed; NVMe keeps no such count in sysfs.
    `volumes`: itself and its partitions, as `/dev/…` and as `major:minor`. `is_held`: an array or a device
    mapper stands on one of them.
    """

    name: str
    state: str = ""
    io_errors: int | None = None
    volumes: frozenset[str] = frozenset()
    is_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """One md array. `missing`: members that it lacks; None where its level has no redundancy to lose."""

    name: str
    state: str | None
    missing: int | None


def read_disks(root: HostRoot) -> tuple[Disk, ...]:
    """Every disk that is fixed in this host; what only looks like a disk (loop, device mapper) is left out.

    Raises:
        OSError: when they cannot be listed.
    """
    base = root.sys / "block"
    return tuple(
        _disk(f"{base}/{name}", name)
        for name in sorted(os.listdir(base))  # noqa: PTH208 - names, not paths
        if not _PATH_OF_MANY.fullmatch(name)
        and os.path.lexists(f"{base}/{name}/device")
        and content_if_any(f"{base}/{name}/removable") != "1"
    )


def read_arrays(root: HostRoot) -> tuple[Array, ...]:
    """Every md array.

    Raises:
        OSError: when they cannot be listed.
    """
    base = root.sys / "block"
    return tuple(
        Array(
            name=name,
            state=content_if_any(f"{base}/{name}/md/array_state"),
            missing=number(f"{base}/{name}/md/degraded"),
        )
        for name in sorted(os.listdir(base))  # noqa: PTH208 - names, not paths
        if _ARRAY.fullmatch(name) and os.path.lexists(f"{base}/{name}/md")
    )


def _disk(folder: str, name: str) -> Disk:
    partitions = names_in(folder, name)
    places = {name: folder, **{partition: f"{folder}/{partition}" for partition in partitions}}
    numbers = (content_if_any(f"{place}/dev") for place in places.values())
    return Disk(
        name=name,
        state=_state(f"{folder}/device"),
        io_errors=_io_errors(f"{folder}/device"),
        volumes=frozenset({*(f"/dev/{volume}" for volume in places), *filter(None, numbers)}),
        is_held=any(names_in(f"{place}/holders") for place in places.values()),
    )


def _state(device: str) -> str:
    """Of the disk, or of the NVMe controllers behind it: the best of several ways is the disk's."""
    if (own := content_if_any(f"{device}/state")) is not None:
        return own
    behind = [
        state
        for name in names_in(device, "nvme")
        if _CONTROLLER.fullmatch(name) and (state := content_if_any(f"{device}/{name}/state"))
    ]
    return "live" if "live" in behind else next(iter(behind), "")


def _io_errors(device: str) -> int | None:
    """`0x2a`: scsi_sysfs.c prints the count in hexadecimal."""
    text = content_if_any(f"{device}/ioerr_cnt") or ""
    return int(text, 16) if re.fullmatch(r"0x[0-9a-f]+", text) else None
