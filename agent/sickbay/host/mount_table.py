"""What is mounted, from /proc/self/mountinfo (proc_pid_mountinfo(5))."""

import re
from dataclasses import dataclass

from sickbay.host.host_root import HostRoot

NETWORK_TYPES = frozenset(
    {
        *("nfs", "nfs4", "lustre", "ceph", "gpfs", "beegfs", "beegfs_ondemand", "cifs", "smb3"),
        *(
            "glusterfs",
            "fuse.glusterfs",
            "fuse.ceph",
            "wekafs",
            "panfs",
            "pvfs2",
            "9p",
            "afs",
            "fuse.juicefs",
        ),
    },
)
"""File systems whose answer depends on another machine, so that asking may take for ever."""

_ESCAPED = re.compile(
    r"\\([0-7]{3})"
)  # `\040` for a space: space, tab, newline and backslash are written so.

_SEPARATOR = "-"
_LEAST_BEFORE = 6
_LEAST_AFTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount. `device` is `major:minor`, which mounts of one file system share.

    `read_only` is the file system's own state, the one that changes when the kernel gives up writing. That of
    the mount is no use: systemd shows a protected service every mount as read-only.
    """

    point: str
    type: str
    source: str
    device: str
    read_only: bool

    @property
    def is_remote(self) -> bool:
        """Whether another machine must answer for it."""
        return self.type in NETWORK_TYPES


def read_mounts(root: HostRoot) -> tuple[Mount, ...]:
    """Every mount that shows, in the order in which they were made.

    Raises:
        OSError: when the table cannot be read.
    """
    text = (root.proc / "self" / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    mounts = (_mount(line) for line in text.splitlines())
    return tuple(mount for mount in mounts if mount is not None)


def _mount(line: str) -> Mount | None:
    """`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`; None for no such."""
    words = line.split(" ")
    place = words.index(_SEPARATOR) if _SEPARATOR in words else 0
    after = words[place + 1 :]
    if place < _LEAST_BEFORE or len(after) < _LEAST_AFTER:
        return None
    return Mount(
        point=_plain(words[4]),
        type=after[0],
        source=_plain(after[1]),
        device=words[2],
        read_only="ro" in after[2].split(","),
    )


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
