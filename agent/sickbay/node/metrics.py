"""What the agent counts of itself, and everything it knows, as metrics.

Readings become series by the catalogue of signal kinds: a new monitor has its metrics without a line here.
Unknown is not a number, so a field that is unknown has no series. An Xid is counted, never shown as "the last
one": a gauge cannot tell two equal Xids from one, and sticks when nothing follows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sickbay.core.conditions import Condition
from sickbay.core.devices import Subject
from sickbay.core.host_views import Health, HostView
from sickbay.core.signals import EVENT_KINDS, KINDS, EventId, FieldType, Signal
from sickbay.host.nvml.readings import CallLatency
from sickbay.node.exposition import Family, Histogram, Sample, rendered

_DETECTION_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_UNITS = {
    "C": "_celsius",
    "s": "_seconds",
    "1/s": "_per_second",
    "W": "_watts",
    "B": "_bytes",
    "bytes": "_bytes",
    "%": "_percent",
    "MB/s": "_megabytes_per_second",
    "Gb/s": "_gigabits_per_second",
}
_TAKEN = ("_total", "_count", "_sum", "_bucket", "_info")
"""Endings that Prometheus keeps for other types than gauges (promtool check metrics)."""

_NOT_LEVELS = EVENT_KINDS | {"monitor", "gpu_lost"}
_SERIES_LIMIT = 1000
_REMEMBERED = 256
"""Events whose count is remembered, to add only what is new; more storms than that are never open at once."""


@dataclass(slots=True)
class Counters:
    """What only ever grows while the agent runs."""

    kernel_records: int = 0
    unreadable_records: int = 0
    records_lost: int = 0
    events_dropped: int = 0
    sweeps: int = 0
    xids: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    detection: Histogram = field(default_factory=lambda: Histogram(_DETECTION_BOUNDS))
    calls: Mapping[str, CallLatency] = field(default_factory=dict)
    _counted: dict[EventId | None, int] = field(default_factory=dict)

    def count_event(self, signal: Signal) -> None:
        """Count what happened. An event that is told again with a larger count adds the difference."""
        before = self._counted.pop(signal.identity, 0)
        more = max(signal.count - before, 0)
        self._counted[signal.identity] = max(signal.count, before)
        if len(self._counted) > _REMEMBERED:
            del self._counted[next(iter(self._counted))]
        if signal.kind == "xid":
            self._count_xid(signal, more)
        elif signal.kind == "log_gap" and isinstance(lost := signal.fields.get("lost"), int):
            self.records_lost += lost if not before else 0

    def _count_xid(self, signal: Signal, more: int) -> None:
        source = signal.sources[0] if signal.sources else ""
        key = (signal.subject.pci, str(signal.fields.get("code")), source)
        if key not in self.xids and len(self.xids) >= _SERIES_LIMIT:
            key = ("", key[1], source)
        self.xids[key] += more


def page(view: HostView, counters: Counters) -> bytes:
    """The whole page, from memory."""
    return rendered(
        [
            *_agent(view, counters),
            *_conditions(view.conditions),
            *_monitors(view),
            *_events(counters),
            *_calls(counters),
            *_readings(view),
        ],
    )


def _agent(view: HostView, counters: Counters) -> Iterator[Family]:
    about = {
        "node": view.node,
        "boot_id": view.boot_id,
        "version": view.version,
        "rules": view.rules_digest[:12],
        "nvml": view.inventory.nvml,
        "driver": view.inventory.driver_version,
    }
    yield Family("sickbay_agent_info", "gauge", "Who reports, always 1", [Sample(about, 1)])
    yield Family(
        "sickbay_health",
        "gauge",
        "The host's health in one word: 1 for the word that holds, 0 for the others",
        [Sample({"health": word.value}, int(word is view.health)) for word in Health],
    )
    yield _one("sickbay_gpus", "GPUs that answer now", len(view.inventory.gpus))
    yield _one(
        "sickbay_spool_unacknowledged_events", "Events not yet safe with a coordinator", view.spooled_events
    )
    yield Family(
        "sickbay_spool_dropped_events_total",
        "counter",
        "Events dropped before a coordinator had them",
        [Sample({}, counters.events_dropped)],
    )
    yield _one(
        "sickbay_coordinator_connected", "1 while a coordinator holds our stream", view.coordinator_connected
    )


def _conditions(conditions: Iterable[Condition]) -> Iterator[Family]:
    open_now = [condition for condition in conditions if condition.is_open]
    yield Family(
        "sickbay_condition",
        "gauge",
        "1 for every open condition; it disappears when the condition clears",
        [Sample(_condition_labels(condition), 1) for condition in open_now],
    )
    yield Family(
        "sickbay_condition_since_timestamp_seconds",
        "gauge",
        "Unix time since which the condition holds",
        [Sample(_condition_labels(condition), round(condition.since, 3)) for condition in open_now],
    )


def _condition_labels(condition: Condition) -> dict[str, str]:
    return {
        "type": condition.type,
        "severity": condition.severity.value,
        "reason": condition.reason,
        **_part(condition.subject),
        "rule": condition.rule,
        "synthetic": str(condition.synthetic).lower(),
    }


def _monitors(view: HostView) -> Iterator[Family]:
    yield Family(
        "sickbay_monitor_healthy",
        "gauge",
        "1 while the monitor can see; 0 is our own trouble, never the hardware's",
        [Sample({"monitor": monitor.name}, int(monitor.healthy)) for monitor in view.monitors],
    )
    yield Family(
        "sickbay_monitor_last_success_timestamp_seconds",
        "gauge",
        "Unix time at which the monitor last saw",
        [
            Sample({"monitor": monitor.name}, round(monitor.last_success, 3))
            for monitor in view.monitors
            if monitor.last_success
        ],
    )


def _events(counters: Counters) -> Iterator[Family]:
    yield Family(
        "sickbay_xid_events_total",
        "counter",
        "Xids since the agent started, by GPU, code and first source",
        [
            Sample({"pci": pci, "xid": code, "source": source}, count)
            for (pci, code, source), count in sorted(counters.xids.items())
        ],
    )
    for name, about, value in (
        ("kernel_records", "Kernel log records looked at", counters.kernel_records),
        (
            "kernel_records_lost",
            "Kernel log records overwritten before they were read",
            counters.records_lost,
        ),
        ("kernel_records_unreadable", "Kernel log records that are none", counters.unreadable_records),
        ("sweeps", "Sweeps over all GPUs that ended", counters.sweeps),
    ):
        yield Family(f"sickbay_{name}_total", "counter", about, [Sample({}, value)])
    yield Family(
        "sickbay_detection_seconds",
        "histogram",
        "From the evidence (T0) to the condition on this host (T1)",
        counters.detection.samples({}),
    )


def _calls(counters: Counters) -> Iterator[Family]:
    calls = sorted(counters.calls.items())
    yield Family(
        "sickbay_nvml_call_mean_seconds",
        "gauge",
        "Mean time of a driver call since its worker started",
        [Sample({"call": name}, latency.mean) for name, latency in calls],
    )
    yield Family(
        "sickbay_nvml_call_longest_seconds",
        "gauge",
        "Longest time of a driver call since its worker started",
        [Sample({"call": name}, latency.longest) for name, latency in calls],
    )


def _readings(view: HostView) -> Iterator[Family]:
    of_kind: dict[str, list[Signal]] = {}
    for signal in view.readings:
        if signal.kind not in _NOT_LEVELS:
            of_kind.setdefault(signal.kind, []).append(signal)
    yield Family(
        "sickbay_sample_timestamp_seconds",
        "gauge",
        "Unix time of the oldest reading of this kind that is shown here",
        [
            Sample({"kind": kind}, round(min(signal.at.wall for signal in of_kind[kind]), 3))
            for kind in sorted(of_kind)
        ],
    )
    for kind, declared in KINDS.items():
        if kind in _NOT_LEVELS:
            continue
        for name, declaration in declared.items():
            if declaration.type is not FieldType.TEXT:
                about, samples = declaration.about, list(_samples(of_kind.get(kind, ()), name))
                yield Family(_series(kind, name, declaration.unit), "gauge", about, samples)


def _series(kind: str, name: str, unit: str) -> str:
    """The name of a field's series, with its unit unless the name says it."""
    ending = _UNITS.get(unit, "")
    series = f"sickbay_{kind}_{name}"
    series = series if series.endswith(ending) else series + ending
    return f"{series}_now" if series.endswith(_TAKEN) else series


def _samples(levels: Iterable[Signal], name: str) -> Iterator[Sample]:
    for signal in levels:
        value = signal.fields.get(name)
        if isinstance(value, bool | int | float):
            yield Sample(_part(signal.subject), float(value))


def _part(subject: Subject) -> dict[str, str]:
    labels = {"part": subject.key, "pci": subject.pci, "gpu_uuid": subject.gpu_uuid}
    return labels if subject.link is None else {**labels, "link": str(subject.link)}


def _one(name: str, about: str, value: float) -> Family:
    return Family(name, "gauge", about, [Sample({}, value)])
