"""File systems as signals: steady words for what moves all the time."""

from sickbay.core.instants import Instant
from sickbay.core.signals import FieldValue
from sickbay.host.mount_space import LocalFilesystem, Space
from sickbay.host.mount_table import Mount
from sickbay.monitors import filesystems
from sickbay.monitors.filesystems import Filesystems
from sickbay.monitors.host_known import HostKnown

KNOWN = HostKnown(now=Instant(mono=1.0, wall=1.0))
GIB = 1024**3


def told(space: Space | None, *, read_only: bool = False, before: Filesystems | None = None) -> Filesystems:
    mount = Mount(point="/", type="ext4", source="/dev/sda1", device="8:1", read_only=read_only)
    return filesystems.carry(Filesystems(mounted=(LocalFilesystem(mount=mount, space=space),)), before, KNOWN)


def said(reading: Filesystems) -> dict[str, FieldValue]:
    (signal,) = filesystems.signals(reading, None, KNOWN)
    return dict(signal.fields)


def space(free: int) -> Space:
    return Space(bytes=100 * GIB, free_bytes=free, inodes=1000, free_inodes=499)


def test_a_few_files_more_change_nothing_that_is_told() -> None:
    assert said(told(space(50 * GIB))) == said(told(space(50 * GIB + 4096)))
    assert said(told(space(50 * GIB)))["free"] == 0.5
    assert said(told(space(50 * GIB)))["free_inodes"] == 0.49


def test_shares_are_rounded_down_so_that_little_is_never_told_as_enough() -> None:
    assert said(told(space(5 * GIB - 1)))["free"] == 0.04
    assert said(told(space(5 * GIB)))["free"] == 0.05


def test_space_that_is_not_known_is_unknown() -> None:
    fields = said(told(None))
    assert (fields["free"], fields["free_bytes"], fields["free_inodes"]) == (None, None, None)


def test_what_took_writes_once_is_remembered_until_it_is_unmounted() -> None:
    first = told(space(GIB))
    assert said(told(space(GIB), read_only=True, before=first))["was_writable"] is True
    gone = filesystems.carry(Filesystems(mounted=()), first, KNOWN)
    assert said(told(space(GIB), read_only=True, before=gone))["was_writable"] is False
