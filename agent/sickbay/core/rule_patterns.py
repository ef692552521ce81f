"""When readings and events amount to a fault: spans proven by readings, and counts in a window."""

from dataclasses import replace

from sickbay.core.instants import Instant
from sickbay.core.rule_state import Hit, Run
from sickbay.core.rules import Count

LEAST_READINGS = 3
"""A span is proven by at least this many readings: one or two may be a transient of the reading itself
(links that train after boot had a fleet's monitor accuse 214 of 288 healthy nodes)."""

LONGEST_SILENCE = 300.0
"""Seconds without a reading after which a run is broken; for a longer `for`, its own span."""


def extended(run: Run | None, at: Instant, hold: float) -> Run:
    """The run with a reading at `at` added, or a new one where silence has broken it.

    A reading that comes late, from before the run's latest, neither breaks nor lengthens it.
    """
    if run is None or at.mono - run.last > max(hold, LONGEST_SILENCE):
        return Run(since=at, last=at.mono, readings=1)
    if at.mono <= run.last:
        return run
    return replace(run, last=at.mono, readings=run.readings + 1)


def proves(run: Run, hold: float) -> bool:
    """Whether readings, and not silence, show that it was so for `hold` seconds."""
    if not hold:
        return True
    return run.readings >= LEAST_READINGS and run.last - run.since.mono >= hold


def counted(hits: tuple[Hit, ...], hit: Hit, count: Count) -> tuple[Hit, ...]:
    """The hits with one more, less those that can no longer matter.

    No more than `at_least` are kept: the newest decide. With `distinct`, the newest of each value.
    """
    known = [other for other in hits if not (hit.event and other.event == hit.event)]
    if count.distinct:
        newest = max((other.at for other in known if other.value == hit.value), default=hit.at)
        known = [other for other in known if other.value != hit.value]
        hit = replace(hit, at=max(hit.at, newest))
    ordered = sorted((*known, hit), key=lambda other: (other.at, other.value, other.event))
    horizon = ordered[-1].at - count.within
    return tuple(other for other in ordered if other.at >= horizon)[-count.at_least :]


def suffices(hits: tuple[Hit, ...], count: Count) -> bool:
    """Whether the hits make the pattern; all of them lie in one window."""
    if count.distinct:
        return len(hits) >= count.at_least
    return sum(hit.weight for hit in hits) >= count.at_least
