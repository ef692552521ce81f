"""File systems that fail, by what became of them."""

import pytest

from sickbay.core.kernel_lines.filesystem import parse


@pytest.mark.parametrize(
    ("text", "filesystem", "device", "effect"),
    [
        (
            (
                "EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: "
                "reading directory lblock 0"
            ),
            "ext4",
            "sda1",
            "error",
        ),
        ("EXT4-fs (sda1): Remounting filesystem read-only", "ext4", "sda1", "read_only"),
        ("EXT4-fs (sda1): I/O error while writing superblock", "ext4", "sda1", "error"),
        ("Aborting journal on device sda1-8.", "ext4", "sda1", "error"),
        (
            'XFS (sda1): metadata I/O error in "xfs_trans_read_buf_map" at daddr 0x2 len 1 error 5',
            "xfs",
            "sda1",
            "error",
        ),
        (
            (
                "XFS (dm-0): xfs_do_force_shutdown(0x2) called from line 1272 of file fs/xfs/xfs_log.c. "
                "Return address = 00000000a1b2c3d4"
            ),
            "xfs",
            "dm-0",
            "shutdown",
        ),
        ("XFS (dm-0): Log I/O Error Detected. Shutting down filesystem", "xfs", "dm-0", "shutdown"),
        (
            (
                "XFS (nvme0n1): Metadata I/O Error (0x1) detected at xfs_trans_read_buf_map+0x1b0/0x2d0 "
                "[xfs] (fs/xfs/xfs_trans_buf.c:296).  Shutting down filesystem."
            ),
            "xfs",
            "nvme0n1",
            "shutdown",
        ),
        ("XFS (sdb1): Filesystem has been shut down due to log error (0x2).", "xfs", "sdb1", "shutdown"),
        (
            (
                "XFS (sda1): Metadata corruption detected at "
                "xfs_agi_verify+0x12f/0x170 [xfs], xfs_agi block 0x2 "
            ),
            "xfs",
            "sda1",
            "error",
        ),
        ("XFS (sda1): log I/O error -5", "xfs", "sda1", "error"),
        (
            "BTRFS error (device sda1): bdev /dev/sda1 errs: wr 0, rd 1, flush 0, corrupt 0, gen 0",
            "btrfs",
            "sda1",
            "error",
        ),
        (
            "BTRFS: error (device sda1: state A) in btrfs_commit_transaction:2234: errno=-5 IO failure",
            "btrfs",
            "sda1",
            "error",
        ),
        ("BTRFS info (device sda1: state EA): forced readonly", "btrfs", "sda1", "read_only"),
        ("BTRFS info (device sda1): forced readonly", "btrfs", "sda1", "read_only"),
    ],
)
def test_a_file_system_says_what_became_of_it(text: str, filesystem: str, device: str, effect: str):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.part) == ("filesystem_error", device)
    assert line.fields == {"device": device, "filesystem": filesystem, "effect": effect}


@pytest.mark.parametrize(
    "text",
    [
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro",
        "EXT4-fs (sda1): mounted filesystem 8f0c r/w with ordered data mode. Quota mode: none.",
        "EXT4-fs (sda1): re-mounted. Opts: errors=remount-ro",
        "EXT4-fs (sda1): recovery complete",
        "XFS (dm-0): Mounting V5 Filesystem",
        "XFS (dm-0): Ending clean mount",
        "XFS (dm-0): Unmounting Filesystem",
        "XFS (dm-0): Please unmount the filesystem and rectify the problem(s)",
        "BTRFS info (device sda1): using free space tree",
        "BTRFS: device fsid 1c0ffee devid 1 transid 7 /dev/sda1 scanned by systemd-udevd (412)",
        "foo EXT4-fs (sda1): Remounting filesystem read-only",
    ],
)
def test_mounting_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
