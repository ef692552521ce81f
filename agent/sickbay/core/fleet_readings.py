"""Which readings a coordinator is told of: those that it decides by, and what a person sees of a fleet.

A node of eight GPUs has some two hundred readings. Told whole they would be 48 KB, which cost a coordinator
4 ms of a processor at each connection and 240 KB of memory, times all its nodes. What readings mean travels
as conditions, with their evidence; who wants the readings themselves asks the host.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from sys import intern
from types import MappingProxyType

from sickbay.core.reading_log import differs
from sickbay.core.signals import KINDS, FieldValue, Signal

TOLD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "recovery_action": frozenset({"action"}),
        "gpu_lost": frozenset({"lost", "how"}),
        "gpu_unresponsive": frozenset({"unresponsive"}),
        "gpu_presence": frozenset({"listed"}),
        "temperature": frozenset({"gpu", "memory"}),
        "power": frozenset({"instant", "limit"}),
        "ecc": frozenset({"corrected", "uncorrected"}),
        "nvlink": frozenset({"active", "links"}),
        "fabric": frozenset({"cluster", "clique"}),
        "gpu_processes": frozenset({"count", "jobs"}),
    }
)
"""Kind -> the fields of it that are told."""

GAUGES = frozenset({"temperature", "power", "ecc", "nvlink", "gpu_processes"})
"""Kinds that move while nothing is wrong; the others tell of a state."""


def as_told(signal: Signal) -> Signal | None:
    """A reading as a coordinator is told it; None for one that stays on the host."""
    names = TOLD.get(signal.kind)
    if names is None or signal.is_event:
        return None
    if signal.kind == "fabric" and not is_shared(signal.fields.get("cluster")):
        return None
    # The names are the table's own, so that thousands of readings hold each but once.
    kept = {name: signal.fields[name] for name in names if name in signal.fields}
    return replace(signal, fields=MappingProxyType(kept))


def is_shared(cluster: FieldValue) -> bool:
    """Whether a fabric cluster's UUID is one: the fabric of a single host has nothing but zeros."""
    return isinstance(cluster, str) and bool(cluster.strip("0-"))


def take_up(held: dict[tuple[str, str], Signal], readings: Iterable[Signal]) -> None:
    """Put what is told of these readings into what is held of a node, by kind and part.

    A coordinator holds dozens of readings of each of thousands of nodes, so that equal parts of them are one
    object. Agents of another version may tell more; that is not kept.
    """
    parts = {signal.subject: (signal.subject, key) for (_, key), signal in held.items()}
    moments = {signal.at: signal.at for signal in held.values()}
    for signal in filter(None, map(as_told, readings)):
        part, key = parts.setdefault(signal.subject, (signal.subject, signal.subject.key))
        kind, at = intern(signal.kind), moments.setdefault(signal.at, signal.at)
        held[kind, key] = replace(signal, kind=kind, subject=part, at=at)


def moved(before: Signal | None, now: Signal) -> bool:
    """Whether a person would call it a change: what was unknown, a quarter, or 5 C or 50 W."""
    if before is None:
        return True
    units = KINDS[now.kind]
    return any(
        differs(before.fields.get(name), value, units[name].unit) for name, value in now.fields.items()
    )
