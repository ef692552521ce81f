"""RDMA ports (InfiniBand and RoCE): whether they are up, stay up, and run at the rate that they had.

A port that was never up in this boot is not used as far as anybody can tell, so nothing is said of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.instants import Instant
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.host.infiniband import Port, PortReader
from sickbay.monitors.host_known import HostKnown

SOURCES = ("sysfs",)

STICKY = 600.0
"""Seconds for which a port that went down is remembered: as long as it must stay up to count as stable."""

_LEAST_SIBLINGS = 4
_MOST_DROPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is remembered of a port that was up in this boot. `drops`: when it went down (monotonic)."""

    port: Port
    best_rate: float | None = None
    drops: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Every port that shows, with the past of those that were up."""

    ports: tuple[Port, ...]
    past: Mapping[str, Past] = field(default_factory=lambda: MappingProxyType({}))

    def by_name(self, name: str) -> Port | None:
        """The port of this name, if it shows."""
        return next((port for port in self.ports if port.name == name), None)


def reader(root: HostRoot, _settings: HostSettings) -> Callable[[], Ports]:
    """Reads the ports of a host, with no past yet."""
    read = PortReader(root)
    return lambda: Ports(ports=read())


def carry(reading: Ports, before: Ports | None, known: HostKnown) -> Ports:
    """The reading with the past that it has made, and that of ports which do not show any more."""
    past = dict(before.past) if before is not None else {}
    for port in reading.ports:
        was = before.by_name(port.name) if before is not None else None
        if (now := _past_of(port, was, past.get(port.name), known.now)) is not None:
            past[port.name] = now
    for name in past.keys() - {port.name for port in reading.ports}:
        gone = past[name].port
        if gone.is_active:
            fallen = replace(gone, state=None, physical=None)
            past[name] = _dropped(replace(past[name], port=fallen), known.now)
    return replace(reading, past=past)


def signals(reading: Ports, _before: Ports | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `port` for each that was ever up or has a condition, and `ports` where the platform is known."""
    shown = {port.name: port for port in reading.ports}
    concerned = {part.name for part in known.concerned if part.scope is Scope.PORT}
    names = sorted({*reading.past, *concerned})
    siblings = _common_rates(reading.ports)
    each = (_port(name, shown.get(name), reading.past.get(name), siblings, known.now) for name in names)
    return (*each, *_node(reading.ports, known))


def _past_of(port: Port, was: Port | None, past: Past | None, now: Instant) -> Past | None:
    if past is None and not port.is_active:
        return None
    past = past or Past(port=port)
    fell = was is not None and was.is_active is True and port.is_active is False
    if fell and not port.disabled:
        past = _dropped(past, now)
    best = past.best_rate
    if port.is_active and port.rate is not None:
        best = max(best or 0.0, port.rate)
    kept = tuple(at for at in past.drops if now.mono - at < STICKY)
    return Past(port=port, best_rate=best, drops=kept)


def _dropped(past: Past, now: Instant) -> Past:
    return replace(past, drops=(*past.drops, now.mono)[-_MOST_DROPS:])


def _port(
    name: str, port: Port | None, past: Past | None, siblings: Mapping[str, float], now: Instant
) -> Signal:
    past = past or (Past(port=port) if port is not None else None)
    expected = [past.best_rate if past is not None else None]
    expected.append(siblings.get(port.model) if port is not None else None)
    rates = [rate for rate in expected if rate is not None]
    fields: dict[str, FieldValue] = {
        "present": port is not None,
        "active": port.is_active if port is not None else False,
        "disabled": port.disabled if port is not None else False,
        "state": port.state if port is not None else None,
        "physical": port.physical if port is not None else None,
        "link_layer": port.link_layer if port is not None else None,
        "rate": port.rate if port is not None and port.is_active else None,
        "expected_rate": max(rates, default=None),
        "drops": sum(1 for at in past.drops if now.mono - at < STICKY) if past is not None else 0,
    }
    return Signal(kind="port", subject=port_subject(name), at=now, fields=fields, sources=SOURCES)


def _common_rates(ports: Iterable[Port]) -> dict[str, float]:
    """The rate that all but one of the active ports of a model have: the odd one out is the slow one.

    Two or more of another rate are taken for another use, such as storage, and not for a fault.
    """
    by_model: dict[str, Counter[float]] = {}
    for port in ports:
        if port.is_active and port.rate is not None and port.model:
            by_model.setdefault(port.model, Counter())[port.rate] += 1
    return {
        model: rates.most_common(1)[0][0]
        for model, rates in by_model.items()
        if rates.total() >= _LEAST_SIBLINGS and rates.most_common(1)[0][1] >= rates.total() - 1
    }


def _node(ports: Iterable[Port], known: HostKnown) -> tuple[Signal, ...]:
    """The node's ports against its platform's. A node without any such port is built in another way."""
    expected, rate = known.profile.ports, known.profile.port_rate
    if expected is None or rate is None:
        return ()
    shown = tuple(ports)
    at_rate = sum(1 for port in shown if port.is_active and port.rate is not None and port.rate >= rate)
    if not at_rate:
        return ()
    fields: dict[str, FieldValue] = {
        "expected": expected,
        "expected_rate": rate,
        "at_rate": at_rate,
        "present": len(shown),
    }
    return (Signal(kind="ports", subject=NODE, at=known.now, fields=fields, sources=SOURCES),)


def port_subject(name: str) -> Subject:
    """The port `device/number`."""
    return Subject(scope=Scope.PORT, name=name)
