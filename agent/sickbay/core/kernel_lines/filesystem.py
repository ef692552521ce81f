"""File systems that found an error, went read-only, or shut themselves down.

Sources, 5.4 to 6.12: fs/ext4/super.c (`__ext4_error`, `ext4_handle_error`), fs/jbd2/journal.c,
fs/xfs/xfs_fsops.c (`xfs_do_force_shutdown`), xfs_error.c, xfs_buf.c, fs/btrfs/super.c and messages.c.
"""

import re
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine

_DEVICE = r"(?P<device>[^\s()]{1,64})"

# EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0
# EXT4-fs (sda1): Remounting filesystem read-only
# EXT4-fs (sda1): I/O error while writing superblock
# Aborting journal on device sda1-8.
_EXT4_ERROR = re.compile(r"EXT4-fs (?:error|critical) \(device " + _DEVICE + r"\): .{1,900}", re.DOTALL)
_EXT4_READ_ONLY = re.compile(r"EXT4-fs \(" + _DEVICE + r"\): Remounting filesystem read-only")
_EXT4_SUPERBLOCK = re.compile(r"EXT4-fs \(" + _DEVICE + r"\): I/O error while writing superblock")
_JOURNAL = re.compile(r"Aborting journal on device " + _DEVICE + r"-\d{1,6}\.")

# XFS (dm-0): xfs_do_force_shutdown(0x2) called from line 1272 of file fs/xfs/xfs_log.c. Return address = ...
# XFS (dm-0): Log I/O Error Detected. Shutting down filesystem                                       (5.4)
# XFS (nvme0n1): Metadata I/O Error (0x1) detected at xfs_trans_read_buf_map+0x1b0 (fs/xfs/...).
#   Shutting down filesystem.
# XFS (sdb1): Corruption of in-memory data detected. Shutting down filesystem
# XFS (sdb1): Filesystem has been shut down due to log error (0x2).
_XFS_SHUTDOWN = re.compile(
    r"XFS \(" + _DEVICE + r"\): (?:xfs_do_force_shutdown\(0x[0-9a-f]{1,8}\) called from .{1,300}"
    r"|[A-Z].{1,300} [Ss]hutting down filesystem\.?|Filesystem has been shut down due to .{1,200})",
    re.ASCII,
)
# XFS (sda1): metadata I/O error in "xfs_trans_read_buf_map" at daddr 0x2 len 1 error 5
# XFS (sda1): Metadata corruption detected at xfs_agi_verify+0x12f/0x170 [xfs], xfs_agi block 0x2
# XFS (sda1): log I/O error -5
# XFS (dm-3): sda1: writeback error on inode 131, offset 0, sector 8            (5.4 to 6.12)
_XFS_ERROR = re.compile(
    r"XFS \("
    + _DEVICE
    + r"\): (?:metadata I/O error(?: in|:) .{1,300}|Metadata (?:corruption|CRC error) detected"
    r" at .{1,300}|log I/O error -?\d{1,5}|(?:[^\s:]{1,64}: )?writeback error on (?:inode|sector) .{1,200})",
    re.ASCII,
)

# BTRFS error (device sda1): bdev /dev/sda1 errs: wr 0, rd 1, flush 0, corrupt 0, gen 0
# BTRFS critical (device sda1): corrupt leaf: root=1 block=30408704 slot=0, bad key order
# BTRFS: error (device sda1) in btrfs_commit_transaction:2234: errno=-5 IO failure
# BTRFS: error (device sda1: state A) in ...
# BTRFS info (device sda1: state EA): forced readonly
_BTRFS_ERROR = re.compile(
    r"BTRFS:? (?:error|critical) \(device (?P<device>[^\s():]{1,64})(?::? state [A-Z]{1,8})?\).{1,900}",
    re.DOTALL,
)
_BTRFS_READ_ONLY = re.compile(
    r"BTRFS:? info \(device (?P<device>[^\s():]{1,64})(?::? state [A-Z]{1,8})?\): forced readonly"
)

_PATTERNS = (
    (_EXT4_ERROR, "ext4", "error"),
    (_EXT4_READ_ONLY, "ext4", "read_only"),
    (_EXT4_SUPERBLOCK, "ext4", "error"),
    (_JOURNAL, "ext4", "error"),
    (_XFS_SHUTDOWN, "xfs", "shutdown"),
    (_XFS_ERROR, "xfs", "error"),
    (_BTRFS_READ_ONLY, "btrfs", "read_only"),
    (_BTRFS_ERROR, "btrfs", "error"),
)


def parse(text: str) -> KernelLine | None:
    """A file system's error, or its end; None for anything else."""
    for pattern, filesystem, effect in _PATTERNS:
        match = pattern.fullmatch(text)
        if match is not None:
            return _line(match["device"], filesystem, effect)
    return None


def _line(device: str, filesystem: str, effect: str) -> KernelLine:
    fields = {"device": device, "filesystem": filesystem, "effect": effect}
    return KernelLine(kind="filesystem_error", part=device, fields=MappingProxyType(fields), detail=effect)


FAMILY = Family(parse=parse, starts=(b"EXT4-fs ", b"Aborting journal on device ", b"XFS (", b"BTRFS"))
