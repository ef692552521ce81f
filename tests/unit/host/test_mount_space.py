"""How full mounts are, and what becomes of a question that is never answered."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.host_tree import HostTree
from tests.support.waiting import wait_until

from sickbay.host.config_files import Seconds
from sickbay.host.host_settings import HostSettings
from sickbay.host.mount_space import RemoteMountReader, Space, read_filesystems, space_of

NFS = "61 29 0:52 / {point} rw,relatime - nfs4 filer:/export rw,hard"
ANSWER = "echo 4096 1000 250 100 40"


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path / "host")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Path]:
    """Where hanging children write their process ids; all are ended after the test."""
    pids = tmp_path / "pids"
    pids.touch()
    yield pids
    for pid in pids.read_text().split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue


def reader(tree: HostTree, *ask: str, within: float = 5.0, **more: tuple[str, ...]) -> RemoteMountReader:
    settings = HostSettings(mount_answer=Seconds(within), **more)  # type: ignore[arg-type]
    return RemoteMountReader(tree.root, settings, ask)


def test_the_space_of_a_real_file_system_is_told_by_stat_as_by_the_kernel(tree: HostTree) -> None:
    tree.mounts(NFS.format(point=tree.folder))
    (told,) = RemoteMountReader(tree.root, HostSettings())()
    assert told.answers is True
    assert told.space is not None
    here = space_of(str(tree.folder))
    assert here is not None
    assert (told.space.bytes, told.space.inodes) == (here.bytes, here.inodes)


def test_an_answer_is_counted_in_bytes_and_shares(tree: HostTree) -> None:
    tree.mounts(NFS.format(point="/home"))
    (told,) = reader(tree, "sh", "-c", ANSWER)()
    assert told.space == Space(bytes=4096000, free_bytes=1024000, inodes=100, free_inodes=40)
    assert (told.space.free, told.space.free_of_inodes) == (0.25, 0.4)


def test_a_file_system_without_bounds_has_no_share_left() -> None:
    space = Space(bytes=0, free_bytes=0, inodes=0, free_inodes=0)
    assert (space.free, space.free_of_inodes) == (None, None)


def test_a_mount_that_hangs_is_not_asked_again_while_its_child_lives_and_delays_no_other(
    tree: HostTree, started: Path
) -> None:
    tree.mounts(NFS.format(point="/stuck"), NFS.format(point="/well"))
    script = f'if [ "$1" = /stuck ]; then echo $$ >> {started}; kill -STOP $$; fi; {ANSWER}'
    ask = reader(tree, "sh", "-c", script, "sh", within=0.5)
    # A child in D state outlives SIGKILL. A stopped one does not, so for this test ours are not killed.
    ask.kill = lambda _child: None
    assert {one.mount.point: one.answers for one in ask()} == {"/stuck": False, "/well": True}
    assert {one.mount.point: one.answers for one in ask()} == {"/stuck": False, "/well": True}
    assert len(started.read_text().split()) == 1


def test_a_mount_that_hung_is_asked_anew_once_its_child_has_ended(tree: HostTree, started: Path) -> None:
    tree.mounts(NFS.format(point="/stuck"))
    dead = tree.folder / "dead"
    dead.touch()
    script = f"if [ -e {dead} ]; then echo $$ >> {started}; kill -STOP $$; fi; {ANSWER}"
    ask = reader(tree, "sh", "-c", script, "sh", within=0.5)
    assert [one.answers for one in ask()] == [False]
    dead.unlink()
    wait_until(lambda: [one.answers for one in ask()] == [True])


def test_a_stale_handle_is_an_answer_of_its_own(tree: HostTree) -> None:
    tree.mounts(NFS.format(point="/home"))
    complaint = "echo stat: cannot read file system information for /home: Stale file handle >&2; exit 1"
    (told,) = reader(tree, "sh", "-c", complaint)()
    assert (told.answers, told.is_stale) == (False, True)


def test_any_other_complaint_is_unknown(tree: HostTree) -> None:
    tree.mounts(NFS.format(point="/home"))
    (told,) = reader(tree, "sh", "-c", "echo Permission denied >&2; exit 1")()
    assert (told.answers, told.space) == (None, None)


def test_without_the_program_nothing_can_be_seen(tree: HostTree) -> None:
    tree.mounts(NFS.format(point="/home"))
    with pytest.raises(FileNotFoundError):
        reader(tree, "no-such-program-here")()


def test_a_mount_that_the_site_ignores_is_not_asked(tree: HostTree) -> None:
    tree.mounts(NFS.format(point="/home"))
    assert reader(tree, "false", ignored_mounts=("/home",))() == ()


def test_local_file_systems_are_told_once_each_by_their_shortest_path(tree: HostTree) -> None:
    tree.mounts(
        "40 29 8:1 / /data/scratch rw - xfs /dev/sda1 rw",
        "41 29 8:1 /sub /data rw - xfs /dev/sda1 rw",
        "42 29 0:30 / /dev/shm rw - tmpfs tmpfs rw",
        "43 29 0:31 / /run/user/0 rw - tmpfs tmpfs rw",
        "44 29 7:0 / /snap/x ro - squashfs /dev/loop0 ro",
        "45 29 8:9 / /ignored rw - ext4 /dev/sdb1 rw",
        NFS.format(point="/home"),
    )
    empty = Space(bytes=1, free_bytes=1, inodes=1, free_inodes=1)
    told = read_filesystems(tree.root, HostSettings(ignored_mounts=("/ignored",)), lambda _point: empty)
    assert {one.mount.point for one in told} == {"/", "/data", "/dev/shm"}  # noqa: S108 - told, not written


def test_a_mount_point_that_is_gone_has_no_space() -> None:
    assert space_of("/no/such/mount") is None
