"""Disks and arrays out of sysfs."""

from pathlib import Path

import pytest
from tests.support.host_tree import HostTree

from sickbay.host.disks import Array, read_arrays, read_disks


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


def test_a_disk_says_its_state_and_its_volumes(tree: HostTree) -> None:
    tree.disk(partitions=[("nvme0n1p1", "259:1")])
    (disk,) = read_disks(tree.root)
    assert (disk.name, disk.state, disk.io_errors, disk.is_held) == ("nvme0n1", "live", None, False)
    assert disk.volumes == {"/dev/nvme0n1", "/dev/nvme0n1p1", "259:0", "259:1"}


def test_what_only_looks_like_a_disk_is_left_out(tree: HostTree) -> None:
    tree.write("sys/block/loop0/dev", "7:0")
    tree.write("sys/block/dm-0/dev", "253:0")
    tree.disk("sr0", removable=1)
    tree.disk("nvme1c0n1")
    assert read_disks(tree.root) == ()


def test_a_disk_under_an_array_is_held(tree: HostTree) -> None:
    tree.disk(partitions=[("nvme0n1p1", "259:1")])
    (tree.folder / "sys/block/nvme0n1/nvme0n1p1/holders/md0").mkdir(parents=True)
    (disk,) = read_disks(tree.root)
    assert disk.is_held


def test_failed_commands_are_written_in_hexadecimal(tree: HostTree) -> None:
    tree.disk("sda", state="running", io_errors="0x1f")
    tree.disk("sdb", state="running", io_errors="many")
    assert [disk.io_errors for disk in read_disks(tree.root)] == [31, None]


def test_a_namespace_with_several_ways_has_the_best_ones_state(tree: HostTree) -> None:
    tree.disk(state=None)
    tree.write("sys/block/nvme0n1/device/nvme0/state", "dead")
    tree.write("sys/block/nvme0n1/device/nvme1/state", "live")
    (disk,) = read_disks(tree.root)
    assert disk.state == "live"


def test_a_disk_whose_driver_has_no_word_for_it_has_no_state(tree: HostTree) -> None:
    tree.disk("vda", state=None)
    (disk,) = read_disks(tree.root)
    assert disk.state == ""


def test_an_array_says_what_it_lacks_unless_its_level_has_nothing_to_lose(tree: HostTree) -> None:
    tree.array("md0", missing=1)
    tree.array("md1", state="broken", missing=None)
    assert read_arrays(tree.root) == (
        Array(name="md0", state="clean", missing=1),
        Array(name="md1", state="broken", missing=None),
    )


def test_disks_that_cannot_be_listed_are_no_empty_list(tree: HostTree) -> None:
    (tree.folder / "sys" / "block").rmdir()
    with pytest.raises(FileNotFoundError):
        read_disks(tree.root)
