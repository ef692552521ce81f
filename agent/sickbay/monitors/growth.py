"""How much counters of one GPU grew from one sweep to the next. No monitor itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from sickbay.host.nvml.readings import GpuSweep, Sweep

_NANOSECONDS = 1e9
_OVERLAP = 2.0
_SWEEP = 1.0
"""Two sweeps take up to a second each, so a counter of time may seem to outrun the clock by that, but never
to be twice as fast: then it counts something else than nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One GPU now, and the same GPU `seconds` before; `before` is None where nothing can be compared."""

    now: GpuSweep
    before: GpuSweep | None
    seconds: float

    def of(self, name: str) -> int | None:
        """What a counter gained. One that went back was reset: what it counted since is unknown."""
        if self.before is None or self.seconds <= 0:
            return None
        then, now = self.before.number(name), self.now.number(name)
        if then is None or now is None or now < then:
            return None
        return now - then

    def rate(self, name: str) -> float | None:
        """What a counter gained a second."""
        gained = self.of(name)
        return None if gained is None else gained / self.seconds

    def of_each(self, name: str) -> tuple[int | None, ...]:
        """What each counter of a reading of one a link gained, as `of` says it; empty where there is none."""
        now = self.now.values.get(name)
        if not isinstance(now, tuple):
            return ()
        then = self.before.values.get(name) if self.before is not None and self.seconds > 0 else None
        if not isinstance(then, tuple) or len(then) != len(now):
            return (None,) * len(now)
        if then == now and None not in now:
            return (0,) * len(now)
        return tuple(
            last - first if first is not None and last is not None and last >= first else None
            for first, last in zip(then, now, strict=True)
        )

    def share(self, name: str) -> float | None:
        """The part of the time, 0 to 1, in which a counter of nanoseconds ran."""
        gained = self.of(name)
        if gained is None or gained > (self.seconds * _OVERLAP + _SWEEP) * _NANOSECONDS:
            return None
        return round(min(1.0, gained / (self.seconds * _NANOSECONDS)), 4)


def growth(sweep: Sweep, gpu: GpuSweep, previous: Sweep | None) -> Growth:
    """What can be compared: the GPU of the same UUID in the same slot, in the sweep before."""
    before = previous.by_pci(gpu.pci) if previous is not None else None
    if previous is None or before is None or before.uuid != gpu.uuid:
        return Growth(now=gpu, before=None, seconds=0.0)
    return Growth(now=gpu, before=before, seconds=sweep.at.mono - previous.at.mono)


def together(gained: Iterable[int | None]) -> int | None:
    """Several gains as one: at least so much where some are unknown; unknown where the others are nothing."""
    every = tuple(gained)
    known = [each for each in every if each is not None]
    return sum(known) if any(known) or (known and len(known) == len(every)) else None
