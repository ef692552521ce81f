"""The kernel log: `/dev/kmsg` behind a Protocol, and the driver that follows it on the event loop.

The device hands out one record a read and wakes its readers, so there is no thread here and no polling. It
reads as it likes: a reader that is too slow finds records overwritten, which the kernel says with EPIPE and
which comes out as a LogGap with the number lost; reading goes on. See Documentation/ABI/testing/dev-kmsg.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NoReturn, Protocol

from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import Cursor, Entry, Interest, sift
from sickbay.host.clock import Clock

DEVICE = Path("/dev/kmsg")

BUFFER = 8192
"""Bytes a read: the kernel's own limit for one record with its escapes and tags."""

BATCH = 256
"""Records looked at before other tasks get their turn: about a millisecond."""

STORM = 32
"""Records found by one waking from which on the log is looked at again without waiting to be woken.

The kernel wakes readers at its next tick, up to 4 ms after a line (kernel/printk/printk.c, `wake_up_klogd`).
In a storm that wait is what a reader loses ground by, and what the fault behind the storm waits for.
"""

STORM_PACE_S = 0.002
"""Seconds between two looks while a storm lasts."""

STORM_PATIENCE = 8
"""Looks in a row that find nothing, after which the storm is over."""

RETRY_S = 5.0
"""Seconds between attempts to open a log that could not be read."""


class Blindness(Enum):
    """Why the kernel log cannot be read. Each is our own trouble and says nothing about the hardware."""

    MISSING = "missing"
    DENIED = "permission denied"
    FAILED = "read error"


class KernelLogUnavailableError(Exception):
    """The kernel log cannot be read now; it may be later."""

    def __init__(self, blindness: Blindness, detail: str) -> None:
        super().__init__(f"{blindness.value}: {detail}")
        self.blindness = blindness
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one look at the log brought.

    `entries` are the records of interest, gaps and unknown bytes, in their order; `looked_at` counts every
    record, of interest or not. `cursor` says where to go on after a restart (None: nothing read yet).
    `more` says that the limit ended the look, so that there may be more at once.
    """

    entries: tuple[Entry, ...]
    looked_at: int
    cursor: Cursor | None
    read_at: Instant
    more: bool


class KernelLog(Protocol):
    """A kernel log that is open for reading."""

    @property
    def poll_interval(self) -> float | None:
        """None where `fileno` becomes readable by itself; otherwise how often to look, in seconds."""
        ...

    def fileno(self) -> int:
        """The descriptor to wait on."""
        ...

    def read_batch(self, limit: int) -> Batch:
        """Up to `limit` records without waiting.

        Raises:
            KernelLogUnavailableError: when the log can no longer be read.
        """
        ...

    def close(self) -> None:
        """Let go of the log. A second call does nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read: where to go on, and which records count.

    Without a cursor of this boot, reading starts at the first record that the log still has.
    `accept_injected` lets records of user space pass that look like the kernel's; they stay marked.
    """

    boot_id: BootId
    interest: Interest
    cursor: Cursor | None = None
    accept_injected: bool = False


class Sieve:
    """Where a reading has come to, and what it keeps: shared by every kind of kernel log."""

    __slots__ = ("_next", "_reading", "_started")

    def __init__(self, reading: Reading) -> None:
        cursor = reading.cursor
        goes_on = cursor is not None and cursor.boot_id == reading.boot_id
        self._reading = reading
        self._next = cursor.sequence + 1 if goes_on and cursor is not None else 0
        self._started = False

    def batch(self, raws: Sequence[bytes], *, read_at: Instant, more: bool) -> Batch:
        """The batch that these raw records make; once one was new, or all was read, reading has begun."""
        sifted = sift(
            raws,
            next_sequence=self._next,
            interest=self._reading.interest,
            accept_injected=self._reading.accept_injected,
            before_start=not self._started,
        )
        self._started = self._started or not more or sifted.next_sequence != self._next
        self._next = sifted.next_sequence
        return Batch(
            entries=sifted.entries,
            looked_at=len(raws),
            cursor=self.cursor,
            read_at=read_at,
            more=more,
        )

    @property
    def cursor(self) -> Cursor | None:
        """After the last record looked at, in this reading or an earlier one of the same boot."""
        if self._next == 0:
            return None
        return Cursor(boot_id=self._reading.boot_id, sequence=self._next - 1)


class DeviceKernelLog:
    """`/dev/kmsg` of this machine. Reading it takes CAP_SYSLOG where kernel.dmesg_restrict is 1."""

    __slots__ = ("_clock", "_descriptor", "_sieve")

    poll_interval: None = None

    def __init__(self, reading: Reading, *, clock: Clock, device: Path = DEVICE) -> None:
        """Open the device at the first record that it still has.

        Raises:
            KernelLogUnavailableError: when it is missing or may not be read.
        """
        try:
            self._descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            _refuse(error, device)
        self._clock = clock
        self._sieve = Sieve(reading)

    def fileno(self) -> int:
        """The device; it becomes readable with every record and with every overrun."""
        return self._descriptor

    def read_batch(self, limit: int) -> Batch:
        """Up to `limit` records. EPIPE and EINVAL skip forward, and the sequence says by how much."""
        raws: list[bytes] = []
        more = True
        for _ in range(limit):
            try:
                raws.append(os.read(self._descriptor, BUFFER))
            except BlockingIOError:
                more = False
                break
            except BrokenPipeError:
                continue  # Overwritten: the kernel has moved us to the oldest record that is left.
            except OSError as error:
                if error.errno != errno.EINVAL:
                    _refuse(error, DEVICE)
                # A record that outgrew the buffer: the kernel has moved us past it.
        return self._sieve.batch(raws, read_at=self._clock.now(), more=more)

    def close(self) -> None:
        """Close the device."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _refuse(error: OSError, device: Path) -> NoReturn:
    reasons = {
        errno.ENOENT: Blindness.MISSING,
        errno.ENXIO: Blindness.MISSING,
        errno.ENODEV: Blindness.MISSING,
        errno.EACCES: Blindness.DENIED,
        errno.EPERM: Blindness.DENIED,
    }
    blindness = reasons.get(error.errno or 0, Blindness.FAILED)
    raise KernelLogUnavailableError(blindness, f"{device}: {os.strerror(error.errno or 0)}") from error


class KernelLogReader:
    """Follows a kernel log for as long as it runs, and opens it again when it is lost.

    `open_log` opens it after a cursor. `on_batch` gets every batch that holds a record; it must not wait.
    `on_sight` gets "" when the log can be read and otherwise what is in the way, once a change.
    """

    def __init__(
        self,
        *,
        open_log: Callable[[Cursor | None], KernelLog],
        on_batch: Callable[[Batch], None],
        on_sight: Callable[[str], None],
        clock: Clock,
        cursor: Cursor | None = None,
        retry_s: float = RETRY_S,
    ) -> None:
        self._open_log = open_log
        self._on_batch = on_batch
        self._on_sight = on_sight
        self._clock = clock
        self._retry_s = retry_s
        self._trouble: str | None = None
        self.cursor = cursor

    async def run(self) -> NoReturn:
        """Read until cancelled. What `on_batch` raises ends it."""
        while True:
            try:
                log = self._open_log(self.cursor)
            except KernelLogUnavailableError as error:
                self._tell(str(error))
            else:
                await self._follow(log)
            await self._clock.sleep(self._retry_s)

    async def _follow(self, log: KernelLog) -> None:
        self._tell("")
        try:
            if log.poll_interval is None:
                await self._wake_and_drain(log)
            else:
                await self._look_again(log, log.poll_interval)
        except KernelLogUnavailableError as error:
            self._tell(str(error))
        finally:
            log.close()

    async def _wake_and_drain(self, log: KernelLog) -> NoReturn:
        loop, awake = asyncio.get_running_loop(), asyncio.Event()
        descriptor = log.fileno()
        loop.add_reader(descriptor, awake.set)
        try:
            while True:
                await awake.wait()
                awake.clear()
                if await self._drain(log) >= STORM:
                    loop.remove_reader(descriptor)  # To be woken as well would cost twice.
                    await self._stay_awake(log)
                    loop.add_reader(descriptor, awake.set)
        finally:
            loop.remove_reader(descriptor)

    async def _stay_awake(self, log: KernelLog) -> None:
        """Look again and again for as long as a storm lasts."""
        patience = STORM_PATIENCE
        while patience:
            await self._clock.sleep(STORM_PACE_S)
            patience = STORM_PATIENCE if await self._drain(log) else patience - 1

    async def _drain(self, log: KernelLog) -> int:
        """Take all that is there now; how many records were looked at."""
        taken = self._take(log)
        found = taken.looked_at
        while taken.more:
            await self._clock.sleep(0)
            taken = self._take(log)
            found += taken.looked_at
        return found

    async def _look_again(self, log: KernelLog, interval: float) -> NoReturn:
        while True:
            await self._clock.sleep(0 if self._take(log).more else interval)

    def _take(self, log: KernelLog) -> Batch:
        batch = log.read_batch(BATCH)
        self.cursor = batch.cursor
        if batch.looked_at:
            self._on_batch(batch)
        return batch

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_sight(trouble)
