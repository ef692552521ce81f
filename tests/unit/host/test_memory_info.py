"""Memory as the kernel counts it."""

from pathlib import Path

import pytest
from tests.support.host_tree import HostTree

from sickbay.host.memory_info import read_memory

KIB = 1024


def node(tree: HostTree, number: int, *, free: int) -> None:
    lines = [f"Node {number} {name}: {size} kB" for name, size in (("MemTotal", 1000), ("MemFree", free))]
    tree.write(
        f"sys/devices/system/node/node{number}/meminfo", "\n".join([*lines, f"Node {number} Shmem: 0 kB"])
    )


def test_sizes_are_bytes_and_huge_pages_a_number(tmp_path: Path) -> None:
    tree = HostTree(tmp_path)
    tree.write("proc/meminfo", "MemTotal:  2000 kB\nHugePages_Total:  7\nHardwareCorrupted:   4 kB")
    reading = read_memory(tree.root.proc, tree.root.sys)
    assert (reading.total, reading.huge_pages, reading.poisoned) == (2000 * KIB, 7, 4 * KIB)
    assert (reading.available, reading.waiting, reading.least_node_share) == (None, None, None)


def test_the_fullest_node_is_told_of_those_with_processors(tmp_path: Path) -> None:
    tree = HostTree(tmp_path)
    tree.write("proc/meminfo", "MemTotal:  2000 kB")
    tree.write("sys/devices/system/node/has_cpu", "0-1")
    for number, free in enumerate((500, 250, 0)):  # The third is a GPU's.
        node(tree, number, free=free)
    assert read_memory(tree.root.proc, tree.root.sys).least_node_share == 0.25


def test_a_host_whose_memory_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="meminfo"):
        read_memory(tmp_path, tmp_path)
