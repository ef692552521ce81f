"""Which groups of readings are due in a sweep. Pure: time is an argument."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.host.nvml.catalogue import EVERY, GROUPS, INFOROM

USUAL = 10.0
"""Seconds from sweep to sweep for which catalogue.EVERY is written."""

_AT_LEAST = MappingProxyType({INFOROM: EVERY[INFOROM]})
"""Validating the InfoROM reads flash. Shorter sweeps do not make that more frequent; DCGM has an hour too."""


def period(group: str, interval: float) -> float:
    """Seconds from one reading of a group to the next where the driver is swept each `interval` seconds.

    Sweeps closer together than USUAL bring every group closer in proportion, so that somebody who wants to
    know sooner does; sweeps further apart leave each group its own period, or the interval if that is longer.
    """
    own = max(EVERY[group] * min(1.0, interval / USUAL), _AT_LEAST.get(group, 0.0))
    return max(own, interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """When each group was last read, in seconds of CLOCK_MONOTONIC; a group that is not in `read` is due."""

    interval: float = USUAL
    read: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def due(self, now: float) -> frozenset[str]:
        """The groups to be read now.

        A sweep comes a little sooner or later than its interval, so half of one is allowed for. What is due
        with every sweep is due with every one, the extra ones too.
        """
        return frozenset(group for group in GROUPS if self._is_due(group, now))

    def _is_due(self, group: str, now: float) -> bool:
        last = self.read.get(group)
        every = period(group, self.interval)
        return last is None or every <= self.interval or now - last >= every - self.interval / 2

    def after(self, groups: Iterable[str], now: float) -> "Cadence":
        """These groups have been read of every GPU."""
        return replace(self, read=MappingProxyType({**self.read, **dict.fromkeys(groups, now)}))

    def afresh(self) -> "Cadence":
        """Everything is due."""
        return replace(self, read=MappingProxyType({}))
