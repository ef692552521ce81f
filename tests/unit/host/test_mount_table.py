"""The table of mounts, line by line."""

from pathlib import Path

import pytest
from tests.support.host_tree import HostTree

from sickbay.host.host_root import REAL_HOST
from sickbay.host.mount_table import read_mounts

NFS = "61 29 0:52 / /home rw,relatime shared:30 - nfs4 filer:/export/home rw,vers=4.2,hard,timeo=600"


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


def test_a_line_says_where_what_and_from_whom(tree: HostTree) -> None:
    tree.mounts(NFS)
    root, home = read_mounts(tree.root)
    assert (root.point, root.type, root.source, root.device) == ("/", "ext4", "/dev/nvme0n1p2", "259:2")
    assert (home.point, home.type, home.source) == ("/home", "nfs4", "filer:/export/home")
    assert home.is_remote
    assert not root.is_remote


def test_read_only_is_the_file_systems_own_state_and_not_the_mounts(tree: HostTree) -> None:
    tree.mounts(
        "40 29 8:1 / /data ro,relatime - xfs /dev/sda1 rw,attr2",
        "41 29 8:2 / /lost rw,relatime - xfs /dev/sda2 ro,attr2",
    )
    _, protected, lost = read_mounts(tree.root)
    assert not protected.read_only
    assert lost.read_only


def test_spaces_in_names_are_told_from_those_between_them(tree: HostTree) -> None:
    tree.mounts(r"40 29 8:1 / /my\040disk\134x rw - xfs /dev/sda1 rw")
    assert read_mounts(tree.root)[1].point == "/my disk\\x"


@pytest.mark.parametrize("line", ["", "40 29 8:1 / /data rw", "- - -", "40 29 8:1 / /data rw - xfs"])
def test_a_line_of_another_form_is_passed_over(tree: HostTree, line: str) -> None:
    tree.mounts(line)
    assert [mount.point for mount in read_mounts(tree.root)] == ["/"]


def test_the_mounts_of_this_machine_can_be_read() -> None:
    assert "/" in {mount.point for mount in read_mounts(REAL_HOST)}
