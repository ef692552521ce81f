"""Disks, arrays, file systems and network mounts: each fault is seen, kept while unseen, and cleared."""

from pathlib import Path

import pytest
from tests.support.host_monitors import Drive, MonitoredHost
from tests.support.host_tree import HostTree

from sickbay.host.mount_space import LocalFilesystem, RemoteMount, Space
from sickbay.host.mount_table import Mount
from sickbay.monitors.filesystems import Filesystems
from sickbay.monitors.mounts import Mounts

GIB = 1024**3


def no_disks(tree: HostTree) -> None:
    (tree.folder / "proc/self/mountinfo").unlink()


def mounted_disk(tree: HostTree) -> None:
    tree.disk("nvme1n1", number="259:5")
    tree.mounts("40 29 259:5 / /scratch rw - xfs /dev/nvme1n1 rw")


DRIVES = [
    Drive(
        monitor="disks",
        type="DiskLost",
        well=mounted_disk,
        ill=lambda tree: tree.take_out("sys/block/nvme1n1"),
        blind=no_disks,
        opens=90,
        clears=90,
    ),
    Drive(
        monitor="disks",
        type="DiskUnusable",
        well=mounted_disk,
        ill=lambda tree: tree.disk("nvme1n1", number="259:5", state="dead"),
        blind=lambda tree: (tree.folder / "sys/block/nvme1n1/device/state").unlink(),
        opens=90,
        clears=90,
    ),
    Drive(
        monitor="disks",
        type="DiskIoErrors",
        well=lambda tree: tree.disk("sda", state="running", io_errors="0x10"),
        ill=lambda tree: tree.disk("sda", state="running", io_errors="0x100"),
        blind=lambda tree: (tree.folder / "sys/block/sda/device/ioerr_cnt").unlink(),
        opens=0,
        clears=4300,
    ),
    Drive(
        monitor="disks",
        type="ArrayDegraded",
        well=lambda tree: tree.array(),
        ill=lambda tree: tree.array(missing=1),
        blind=lambda tree: (tree.folder / "sys/block/md0/md/degraded").unlink(),
        opens=90,
        clears=90,
    ),
    Drive(
        monitor="disks",
        type="ArrayBroken",
        well=lambda tree: tree.array(missing=None),
        ill=lambda tree: tree.array(state="broken", missing=None),
        blind=lambda tree: (tree.folder / "sys/block/md0/md/array_state").unlink(),
        opens=90,
        clears=90,
    ),
]


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.type)
def test_a_fault_opens_its_condition_is_kept_while_unseen_and_clears(drive: Drive, tree: HostTree) -> None:
    drive.through(tree)


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.type)
def test_what_cannot_be_seen_opens_no_condition_of_the_hardware(drive: Drive, tree: HostTree) -> None:
    drive.through_blindness(tree)


def test_a_volume_that_is_unmounted_and_taken_away_is_no_lost_disk(tree: HostTree) -> None:
    mounted_disk(tree)
    host = MonitoredHost("disks", tree)
    host.look()
    tree.mounts()
    tree.take_out("sys/block/nvme1n1")
    host.looks(600)
    assert host.types() == set()


def test_a_lost_disk_that_is_unmounted_clears(tree: HostTree) -> None:
    mounted_disk(tree)
    host = MonitoredHost("disks", tree)
    host.look()
    tree.take_out("sys/block/nvme1n1")
    host.looks(90)
    assert host.types() == {"DiskLost"}
    tree.mounts()
    host.looks(90)
    assert host.types() == set()


# -- file systems: how full they are is told by the kernel, so the readings are made here -----------------


def local(
    *, free: int = 500 * GIB, inodes: int = 900, read_only: bool = False, known: bool = True
) -> Filesystems:
    space = Space(bytes=1000 * GIB, free_bytes=free, inodes=1000, free_inodes=inodes)
    mount = Mount(point="/scratch", type="xfs", source="/dev/md0", device="9:0", read_only=read_only)
    return Filesystems(mounted=(LocalFilesystem(mount=mount, space=space if known else None),))


@pytest.mark.parametrize(
    ("type_", "ill"),
    [
        ("FilesystemFull", local(free=GIB)),
        ("FilesystemOutOfInodes", local(inodes=10)),
        ("FilesystemReadOnly", local(read_only=True)),
    ],
)
@pytest.mark.parametrize("end", [local(), Filesystems(mounted=())], ids=["well again", "unmounted"])
def test_a_file_system_in_trouble_is_told_until_it_is_well_or_gone(
    tree: HostTree, type_: str, ill: Filesystems, end: Filesystems
) -> None:
    shown = [local()]
    host = MonitoredHost("filesystems", tree, read=lambda: shown[-1])
    host.looks(180)
    shown.append(ill)
    host.looks(180)
    assert host.types() == {type_}
    host.read = _refused
    host.looks(180)
    assert host.types() == {type_, "MonitorDegraded"}
    host.read = lambda: shown[-1]
    shown.append(end)
    host.looks(180)
    assert host.types() == set()


def test_a_file_system_whose_space_is_unknown_is_not_full(tree: HostTree) -> None:
    host = MonitoredHost("filesystems", tree, read=lambda: local(known=False))
    host.looks(600)
    assert host.types() == set()


def test_a_file_system_that_was_read_only_from_the_start_is_meant_to_be(tree: HostTree) -> None:
    host = MonitoredHost("filesystems", tree, read=lambda: local(read_only=True))
    host.looks(600)
    assert host.types() == set()


def test_a_large_file_system_with_much_room_left_is_not_full(tree: HostTree) -> None:
    host = MonitoredHost("filesystems", tree, read=lambda: local(free=49 * GIB))
    host.looks(600)
    assert host.types() == set()


# -- network mounts --------------------------------------------------------------------------------------


def remote(*, answers: bool | None, stale: bool = False) -> Mounts:
    mount = Mount(point="/home", type="nfs4", source="filer:/home", device="0:52", read_only=False)
    return Mounts(mounted=(RemoteMount(mount=mount, answers=answers, is_stale=stale),))


@pytest.mark.parametrize(
    ("type_", "ill"),
    [
        ("NetworkMountHung", remote(answers=False)),
        ("NetworkMountStale", remote(answers=False, stale=True)),
    ],
)
@pytest.mark.parametrize("end", [remote(answers=True), Mounts(mounted=())], ids=["well again", "unmounted"])
def test_a_mount_that_does_not_answer_is_told_until_it_does_or_is_gone(
    tree: HostTree, type_: str, ill: Mounts, end: Mounts
) -> None:
    shown = [remote(answers=True)]
    host = MonitoredHost("mounts", tree, read=lambda: shown[-1])
    host.looks(90)
    shown.append(ill)
    host.looks(90)
    assert host.types() == {type_}
    shown.append(remote(answers=None))
    host.looks(90)
    assert host.types() == {type_}
    shown.append(end)
    host.looks(90)
    assert host.types() == set()


def test_a_mount_that_is_slow_once_is_no_fault(tree: HostTree) -> None:
    shown = [remote(answers=True)]
    host = MonitoredHost("mounts", tree, read=lambda: shown[-1])
    host.look()
    shown.append(remote(answers=False))
    host.look()
    host.look()
    shown.append(remote(answers=True))
    host.looks(300)
    assert host.types() == set()


def _refused() -> object:
    raise PermissionError(13, "Permission denied")
