"""One Xid seen by several sources is one signal that names them.

The kernel log and NVML report the same Xid, a moment apart and in either order. Whichever comes first is
handed on at once; the other only adds its name. The kernel's words win over NVML's number, because the line
says who and where.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from sickbay.core.instants import Instant
from sickbay.core.signals import EventId, Signal

KMSG = "kmsg"
NVML = "nvml"

WINDOW_S = 5.0
"""Seconds within which the same GPU's same code from two sources is one event."""

KEPT = 256
"""How many events are remembered; more than GPUs and codes that can be in one window."""

_Key = tuple[str, str, int]
_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An event as it was last handed on, and when it, or an equal one, was last seen (monotonic seconds)."""

    signal: Signal
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """What was seen lately by boot, GPU and code; and kernel lines that go by an NVML event's identity."""

    seen: Mapping[_Key, Sighting] = field(default_factory=lambda: MappingProxyType({}))
    joined: Mapping[EventId, Signal] = field(default_factory=lambda: MappingProxyType({}))


def merge(sightings: Sightings, signal: Signal, now: Instant) -> tuple[Sightings, Signal | None]:
    """What to hand on for one `xid` signal, or None when it says nothing new.

    The signal comes back with the identity under which the event first went out, and with every source that
    has seen it; a repeated identity is an update of the earlier signal (a later source, a larger count).
    """
    joined = sightings.joined.get(signal.identity) if signal.identity else None
    if joined is not None:
        return _remember(sightings, _under(joined, signal), now.mono)
    earlier = sightings.seen.get(_key(signal))
    if earlier is not None and earlier.signal.identity == signal.identity:
        return _remember(sightings, _under(earlier.signal, signal), now.mono)
    if earlier is None or abs(signal.at.mono - earlier.last) > WINDOW_S:
        return _remember(sightings, signal, signal.at.mono)
    if NVML in signal.sources:
        return _confirmed(sightings, earlier, signal)
    return _explained(sightings, earlier, signal)


def _confirmed(
    sightings: Sightings,
    earlier: Sighting,
    signal: Signal,
) -> tuple[Sightings, Signal | None]:
    """NVML reports what was seen a moment ago: news only where the kernel log has said nothing of it."""
    if KMSG not in earlier.signal.sources:
        return _remember(sightings, signal, signal.at.mono)
    if NVML in earlier.signal.sources:
        return sightings, None
    return _remember(
        sightings,
        replace(earlier.signal, sources=(*earlier.signal.sources, NVML)),
        earlier.last,
    )


def _explained(
    sightings: Sightings,
    earlier: Sighting,
    signal: Signal,
) -> tuple[Sightings, Signal | None]:
    """The kernel log tells of what was seen a moment ago: the words for NVML's number, or another line."""
    if KMSG in earlier.signal.sources:
        return _remember(sightings, signal, signal.at.mono)
    whole = _under(earlier.signal, signal)
    if signal.identity is not None:
        sightings = replace(sightings, joined=_newest({**sightings.joined, signal.identity: whole}))
    return _remember(sightings, whole, signal.at.mono)


def _under(earlier: Signal, signal: Signal) -> Signal:
    """The newer signal under the identity that is already known, with the sources of both."""
    sources = (*signal.sources, *(name for name in earlier.sources if name not in signal.sources))
    return replace(signal, identity=earlier.identity, sources=sources)


def _key(signal: Signal) -> _Key:
    boot = signal.identity.boot_id if signal.identity else ""
    code = signal.fields.get("code")
    return boot, signal.subject.gpu_key, code if isinstance(code, int) else -1


def _remember(sightings: Sightings, signal: Signal, last: float) -> tuple[Sightings, Signal]:
    key = _key(signal)
    older = {known: sighting for known, sighting in sightings.seen.items() if known != key}
    seen = _newest({**older, key: Sighting(signal=signal, last=last)})
    return Sightings(seen=seen, joined=sightings.joined), signal


def _newest(known: dict[_K, _V]) -> dict[_K, _V]:
    """The newest of them; what falls out is older than any window by far."""
    return known if len(known) <= KEPT else dict(list(known.items())[-KEPT:])
