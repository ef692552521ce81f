"""How much counters grew in the last hour, from samples that are kept. No monitor itself."""

from collections.abc import Mapping
from dataclasses import dataclass

HOUR = 3600.0
_APART = 300.0
"""Seconds between two samples that are kept: an hour is exact to five minutes, in 13 samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What counters had gained since they were first looked at, at `at` (monotonic seconds)."""

    at: float
    gained: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterHours:
    """The counters of one part. `raw`: as each was last read; `shown`: those of the last reading.

    The oldest of `samples` is about an hour old.
    """

    raw: Mapping[str, int]
    shown: frozenset[str]
    samples: tuple[Sample, ...]

    @classmethod
    def first(cls, raw: Mapping[str, int], at: float) -> "CounterHours":
        """Counters that are looked at for the first time: what they hold is of another time."""
        none = dict.fromkeys(raw, 0)
        return cls(raw=raw, shown=frozenset(raw), samples=(Sample(at=at, gained=none),))

    def later(self, raw: Mapping[str, int], at: float) -> "CounterHours":
        """With a further reading. A counter that went back was set to zero, and has counted from there."""
        last = self.samples[-1].gained
        gained = {name: last.get(name, 0) + _gain(self.raw.get(name), value) for name, value in raw.items()}
        kept = [sample for sample in self.samples if at - sample.at <= HOUR + _APART]
        # The newest sample moves along until it is far enough from the one before it.
        if len(kept) > 1 and kept[-1].at - kept[-2].at < _APART:
            kept.pop()
        return CounterHours(
            raw={**self.raw, **raw},
            shown=frozenset(raw),
            samples=(*kept, Sample(at=at, gained={**last, **gained})),
        )

    def in_hour(self, name: str) -> int | None:
        """What a counter gained in the last hour, or since it was first seen; None where it is not there."""
        if name not in self.shown:
            return None
        return self.samples[-1].gained[name] - self.samples[0].gained.get(name, 0)


def _gain(before: int | None, now: int) -> int:
    if before is None:
        return 0
    return now - before if now >= before else now
