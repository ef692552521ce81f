"""The host's own monitors, each at its interval, none in the way of another.

A reading runs in a thread of its own with a deadline. One that does not come back (a dead disk, a file system
whose server is gone) is abandoned: its monitor is blind until it does come back, and is not started again
before, so there are never more threads than monitors. Everything else goes on.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from sickbay.core.instants import Instant
from sickbay.core.platforms import UNKNOWN_PLATFORM, PlatformProfile
from sickbay.core.signals import Signal
from sickbay.host.clock import Clock
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.host.reader_threads import ReaderThreads
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.host_table import HOST_MONITORS, HostMonitor
from sickbay.node.judge import Judge

_LOG = logging.getLogger(__name__)

_FIRST_LOOKS_WITHIN = 2.0
"""Seconds over which the first looks are spread: a start should not read everything at once."""


@dataclass(slots=True, kw_only=True)
class _Watched:
    """One monitor at work. `is_away`: a reading has begun and not come back.

    `last` is the last reading that was judged, `previous` the same with what was carried on into it; `says`
    is whether there was anything to say of it, `told` the kinds and parts that were told of.
    """

    name: str
    monitor: HostMonitor[Any]
    read: Callable[[], Any]
    is_away: bool = False
    trouble: str | None = None
    last: object = None
    previous: Any = None
    judged_at: float = 0.0
    says: bool = False
    told: frozenset[tuple[str, str]] = frozenset()

    def fetch(self) -> object:
        """Read, in whatever thread this is."""
        self.is_away = True
        try:
            return self.read()
        finally:
            self.is_away = False

    def is_news(self, reading: object, now: Instant) -> bool:
        """Whether a reading says something new, or the last one that was judged is old enough."""
        is_due = now.mono - self.judged_at >= self.monitor.retell
        return is_due or reading != self.last

    def judged(self, reading: object, known: HostKnown) -> tuple[Signal, ...]:
        """What the monitor makes of a reading, which is then the one before the next."""
        carried = self.monitor.carry(reading, self.previous, known)
        signals = self.monitor.judge(carried, self.previous, known)
        self.last, self.previous, self.judged_at = reading, carried, known.now.mono
        self.says = bool(signals)
        return signals

    def no_longer_told(self, signals: tuple[Signal, ...]) -> frozenset[tuple[str, str]]:
        """The kinds and parts that were told of before, and are not now: mounts and disks come and go."""
        now = frozenset((signal.kind, signal.subject.key) for signal in signals if not signal.is_event)
        gone, self.told = self.told - now, now
        return gone


class HostWatch:
    """Looks until cancelled. With no host to watch, `root` is None and nothing is looked at."""

    def __init__(
        self,
        *,
        clock: Clock,
        judge: Judge,
        root: HostRoot | None,
        settings: HostSettings,
        monitors: Mapping[str, HostMonitor[Any]] = HOST_MONITORS,
    ) -> None:
        """`root` is where the host's files are."""
        self._clock = clock
        self._judge = judge
        self._settings = settings
        self._threads = ReaderThreads("host monitors")
        self._watched = () if root is None else _watched(monitors, root, settings)

    async def run(self) -> NoReturn:
        """One task a monitor, for ever."""
        try:
            async with asyncio.TaskGroup() as group:
                for watched in self._watched:
                    group.create_task(self._watch(watched), name=f"host monitor {watched.name}")
                await asyncio.Event().wait()
        finally:
            self._threads.close()
        raise AssertionError("nobody sets the event")

    async def look_once(self) -> None:
        """Every monitor once, side by side."""
        await asyncio.gather(*(self._look(watched) for watched in self._watched))
        self._threads.close()

    async def _watch(self, watched: _Watched) -> NoReturn:
        await self._clock.sleep(random.uniform(0, self._settings.jitter) * _FIRST_LOOKS_WITHIN)  # noqa: S311 - no secret
        while True:
            said = await self._look(watched)
            monitor = watched.monitor
            pause = monitor.every if said else max(monitor.every, monitor.at_rest)
            jitter = random.uniform(-self._settings.jitter, self._settings.jitter)  # noqa: S311 - no secret
            await self._clock.sleep(pause * (1.0 + jitter))

    async def _look(self, watched: _Watched) -> bool:
        """Read and judge once; whether there was anything to say, trouble included."""
        if watched.is_away:
            return True
        deadline = watched.monitor.deadline
        try:
            reading = await self._threads.run(watched.fetch, deadline=deadline)
        except OSError as error:  # Our own TimeoutError among them, which says nothing of itself.
            self._see(watched, str(error) or f"its reading did not come back within {deadline:g} s")
        except Exception as error:  # noqa: BLE001 - the monitor runner: one defect must not end the others
            self._see_defect(watched, error)
        else:
            return self._judged(watched, reading)
        return True

    def _judged(self, watched: _Watched, reading: object) -> bool:
        now = self._clock.now()
        if not watched.is_news(reading, now):
            self._see(watched, "")
            return watched.says
        try:
            signals = watched.judged(reading, self._known(now))
        except Exception as error:  # noqa: BLE001 - the monitor runner, as above
            self._see_defect(watched, error)
            return True
        self._see(watched, "")
        if signals:
            self._judge.take(signals)
        self._judge.forget(watched.no_longer_told(signals))
        return watched.says

    def _see(self, watched: _Watched, trouble: str) -> None:
        """Tell of a monitor's sight when it changes."""
        if trouble != watched.trouble:
            if trouble:
                _LOG.warning("the monitor %s cannot see: %s; it tries again", watched.name, trouble)
            watched.trouble = trouble
            self._judge.sight(watched.name, trouble)
        elif not trouble:
            self._judge.status.saw(watched.name, self._clock.now().wall)

    def _see_defect(self, watched: _Watched, error: Exception) -> None:
        if not watched.trouble:
            _LOG.error("the monitor %s failed; the others go on", watched.name, exc_info=error)
        self._see(watched, f"a defect in the monitor itself: {type(error).__name__}: {error}")

    def _known(self, now: Instant) -> HostKnown:
        conditions = self._judge.status.conditions
        return HostKnown(
            now=now,
            profile=self._profile(),
            settings=self._settings,
            concerned=frozenset(condition.subject for condition in conditions),
            inventory=self._judge.status.known_inventory,
        )

    def _profile(self) -> PlatformProfile:
        """What is expected of a node with such GPUs; those that it had when it was well count, too."""
        gpus = self._judge.status.known_inventory.gpus
        device = next((gpu.pci_device_id for gpu in gpus if gpu.pci_device_id), "")
        return self._judge.platforms.of(device) if device else UNKNOWN_PLATFORM


def _watched(
    monitors: Mapping[str, HostMonitor[Any]], root: HostRoot, settings: HostSettings
) -> tuple[_Watched, ...]:
    return tuple(
        _Watched(name=name, monitor=monitor, read=monitor.reader(root, settings))
        for name, monitor in monitors.items()
    )
