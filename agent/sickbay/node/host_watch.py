"""The host's own monitors, each at its interval, none in the way of another.

A reading runs in a thread of its own with a deadline. One that does not come back (a dead disk, a file system
whose server is gone) is abandoned: its monitor is blind until it does come back, and is not started again
before, so there are never more threads than monitors. Everything else goes on.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sickbay.core.platforms import UNKNOWN_PLATFORM, PlatformProfile
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.blocking import in_thread
from sickbay.host.clock import Clock
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.host_table import HOST_MONITORS, HostMonitor
from sickbay.node.judge import Judge

_LOG = logging.getLogger(__name__)

_FIRST_LOOKS_WITHIN = 2.0
"""Seconds over which the first looks are spread: a start should not read everything at once."""


@dataclass(slots=True, kw_only=True)
class _Watched:
    """One monitor at work. `is_away`: a reading has begun and not come back."""

    name: str
    monitor: HostMonitor[Any]
    read: Callable[[], Any]
    is_away: bool = False
    trouble: str | None = None
    previous: Any = None
    told: dict[tuple[str, str], tuple[float, Mapping[str, FieldValue]]] = field(default_factory=dict)

    def fetch(self) -> object:
        """Read, in whatever thread this is."""
        self.is_away = True
        try:
            return self.read()
        finally:
            self.is_away = False

    def news(self, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
        """Those that say something new, or whose last telling is long enough ago."""
        if not self.monitor.retell:
            return signals
        fresh = [signal for signal in signals if self._is_due(signal)]
        # What is no longer spoken of is forgotten, so this holds no more than there are parts.
        known = {_key(signal): self.told.get(_key(signal)) for signal in signals}
        self.told = {key: told for key, told in known.items() if told is not None}
        self.told |= {_key(signal): (signal.at.mono, signal.fields) for signal in fresh}
        return tuple(fresh)

    def _is_due(self, signal: Signal) -> bool:
        at, fields = self.told.get(_key(signal), (0.0, None))
        return fields != signal.fields or signal.at.mono - at >= self.monitor.retell


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
        self._watched = () if root is None else _watched(monitors, root, settings)

    async def run(self) -> NoReturn:
        """One task a monitor, for ever."""
        async with asyncio.TaskGroup() as group:
            for watched in self._watched:
                group.create_task(self._watch(watched), name=f"host monitor {watched.name}")
            await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    async def look_once(self) -> None:
        """Every monitor once, side by side."""
        await asyncio.gather(*(self._look(watched) for watched in self._watched))

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
            reading = await in_thread(watched.fetch, deadline=deadline, name=watched.name)
        except OSError as error:  # Our own TimeoutError among them, which says nothing of itself.
            self._see(watched, str(error) or f"its reading did not come back within {deadline:g} s")
        except Exception as error:  # noqa: BLE001 - the monitor runner: one defect must not end the others
            self._see_defect(watched, error)
        else:
            return self._judged(watched, reading)
        return True

    def _judged(self, watched: _Watched, reading: object) -> bool:
        known = self._known()
        try:
            carried = watched.monitor.carry(reading, watched.previous, known)
            signals = watched.monitor.judge(carried, watched.previous, known)
        except Exception as error:  # noqa: BLE001 - the monitor runner, as above
            self._see_defect(watched, error)
            return True
        watched.previous = carried
        self._see(watched, "")
        if news := watched.news(signals):
            self._judge.take(news)
        return bool(signals)

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

    def _known(self) -> HostKnown:
        conditions = self._judge.status.conditions
        return HostKnown(
            now=self._clock.now(),
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


def _key(signal: Signal) -> tuple[str, str]:
    return signal.kind, signal.subject.key
