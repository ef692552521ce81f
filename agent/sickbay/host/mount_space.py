"""How full mounted file systems are. One that another machine serves is asked by a child that may hang.

statvfs(3) on a mount whose server is gone waits for ever, often beyond the reach of SIGKILL; a thread of ours
that waited there could not be ended, and neither could we. So `stat -f` waits there, and is left behind.
"""

import os
import selectors
import subprocess  # noqa: TID251 - a child that may never end, and must be known until it does
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sickbay.host.clock import SystemClock
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.host.mount_table import Mount, read_mounts

_ASK = ("stat", "--file-system", "--format=%S %b %a %c %d", "--")
"""Of coreutils: the size of a block, blocks, blocks for programs, inodes, inodes left."""

_NUMBERS = 5

_NEVER_WRITTEN = frozenset({"squashfs", "iso9660", "udf", "erofs", "cramfs", "autofs"})
_SHARED_MEMORY = frozenset({"/dev/shm", "/tmp", "/run"})  # noqa: S108 - watched, not written to
"""Of memory file systems those that jobs fill: NCCL and data loaders fail when /dev/shm is full."""
_STALE = "Stale file handle"  # ESTALE in the C locale


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """What a file system has, in bytes and inodes. `inodes` is 0 where it does not count them."""

    bytes: int
    free_bytes: int
    inodes: int
    free_inodes: int

    @property
    def free(self) -> float | None:
        """The share of space left for programs, 0 to 1; None where there is no end to it."""
        return min(1.0, self.free_bytes / self.bytes) if self.bytes else None

    @property
    def free_of_inodes(self) -> float | None:
        """The share of inodes left, 0 to 1; None where they are not counted."""
        return min(1.0, self.free_inodes / self.inodes) if self.inodes else None


def space_of(point: str) -> Space | None:
    """The space of a local file system; None where it may not be asked about, or is gone meanwhile."""
    try:
        told = os.statvfs(point)
    except OSError:
        return None
    return Space(
        bytes=told.f_blocks * told.f_frsize,
        free_bytes=told.f_bavail * told.f_frsize,
        inodes=told.f_files,
        free_inodes=told.f_ffree,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFilesystem:
    """A file system of this host, at the shortest path under which it is mounted."""

    mount: Mount
    space: Space | None = None


def read_filesystems(
    root: HostRoot,
    settings: HostSettings,
    space: Callable[[str], Space | None] = space_of,
) -> tuple[LocalFilesystem, ...]:
    """Every file system on a disk of this host, its root, and the memory that programs share files in.

    Raises:
        OSError: when the mounts are not known.
    """
    chosen: dict[str, Mount] = {}
    for mount in read_mounts(root):
        known = chosen.get(mount.device)
        if _is_local(mount, settings) and (known is None or len(mount.point) < len(known.point)):
            chosen[mount.device] = mount
    return tuple(LocalFilesystem(mount=mount, space=space(mount.point)) for mount in chosen.values())


def _is_local(mount: Mount, settings: HostSettings) -> bool:
    if mount.point in settings.ignored_mounts or mount.type in _NEVER_WRITTEN or mount.is_remote:
        return False
    is_shared_memory = mount.type == "tmpfs" and mount.point in _SHARED_MEMORY
    return mount.source.startswith("/dev/") or mount.type == "zfs" or mount.point == "/" or is_shared_memory


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMount:
    """A mount and its answer. `answers` False: none in time; None: something else was in the way."""

    mount: Mount
    answers: bool | None
    space: Space | None = None
    is_stale: bool = False


@dataclass(slots=True)
class RemoteMountReader:
    """Asks every network mount, all at once; never one that a child of ours still waits for."""

    root: HostRoot
    settings: HostSettings
    ask: tuple[str, ...] = _ASK
    kill: "Callable[[subprocess.Popen[bytes]], None]" = field(default=lambda child: child.kill())
    _children: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    def __call__(self) -> tuple[RemoteMount, ...]:
        """Every network mount, within the settings' `mount_answer` seconds.

        Raises:
            OSError: when the mounts are not known, or no child can be started.
        """
        mounts = {
            mount.point: mount
            for mount in read_mounts(self.root)
            if mount.is_remote and mount.point not in self.settings.ignored_mounts
        }
        self._let_go()
        for point in mounts.keys() - self._children.keys():
            self._children[point] = self._started(point)
        self._wait(mounts)
        return tuple(self._told(mount) for mount in mounts.values())

    def _started(self, point: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own words and a mount point, without a shell
            [*self.ask, point],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
        )

    def _let_go(self) -> None:
        """Forget those that were given up and have ended since."""
        for point, child in list(self._children.items()):
            if child.poll() is not None:
                _close(child)
                del self._children[point]

    def _wait(self, mounts: Iterable[str]) -> None:
        """Until every child that was asked has ended, or for as long as an answer may take."""
        clock = SystemClock()
        until = clock.now().mono + self.settings.mount_answer
        with selectors.DefaultSelector() as waiting:
            for point in mounts:
                child = self._children[point]
                if child.stdout is not None and not child.stdout.closed:
                    waiting.register(child.stdout, selectors.EVENT_READ)
            while waiting.get_map() and (left := until - clock.now().mono) > 0:
                for key, _ in waiting.select(left):
                    waiting.unregister(key.fileobj)

    def _told(self, mount: Mount) -> RemoteMount:
        child = self._children[mount.point]
        if child.stdout is None or child.stdout.closed or not _has_spoken(child):
            self.kill(child)  # It may die of it or not; no other is asked before it has.
            _close(child)
            return RemoteMount(mount=mount, answers=False)
        words = child.stdout.read().decode(errors="replace").strip()
        child.wait()
        _close(child)
        del self._children[mount.point]
        return _answer(mount, words)


def remote_mount_reader(root: HostRoot, settings: HostSettings) -> RemoteMountReader:
    """The reader of a host's network mounts."""
    return RemoteMountReader(root, settings)


def _has_spoken(child: "subprocess.Popen[bytes]") -> bool:
    """Whether reading its answer would not wait: `stat` writes all of it at once, and ends."""
    with selectors.DefaultSelector() as looking:
        looking.register(child.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        return bool(looking.select(0))


def _answer(mount: Mount, words: str) -> RemoteMount:
    numbers = words.split()
    if len(numbers) != _NUMBERS or not all(word.isdecimal() for word in numbers):
        is_stale = _STALE in words
        return RemoteMount(mount=mount, answers=False if is_stale else None, is_stale=is_stale)
    size, blocks, available, inodes, free_inodes = map(int, numbers)
    space = Space(bytes=blocks * size, free_bytes=available * size, inodes=inodes, free_inodes=free_inodes)
    return RemoteMount(mount=mount, answers=True, space=space)


def _close(child: "subprocess.Popen[bytes]") -> None:
    if child.stdout is not None:
        child.stdout.close()
