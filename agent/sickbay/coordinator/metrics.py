"""The coordinator's own figures for Prometheus: aggregates only, the same cost for any fleet.

The library serves them from a thread of its own; the values are written by the event loop, a few times a
minute, and with each commit.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.standing_orders import StandingOrders
from sickbay.coordinator.store import Batch
from sickbay.core.ids import IncidentId
from sickbay.core.incidents import Incident
from sickbay.core.milestones import MARKS, MEANING, Mark
from sickbay.core.orders import OrderKind

_BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)
"""Seconds. From a kernel line that becomes a condition to a job that is waited for over night."""

INTERVALS: tuple[tuple[Mark, Mark], ...] = (*pairwise(MARKS), ("t1", "t3"), ("t4", "t8"))
"""Each stretch of a fault's way, and the two that goals are set for."""


@dataclass(slots=True)
class Metrics:
    """Figures of one coordinator, in a registry of their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    nodes: Gauge = field(init=False)
    incidents: Gauge = field(init=False)
    remediations: Gauge = field(init=False)
    intervals: Histogram = field(init=False)
    ended: Counter = field(init=False)
    orders: Gauge = field(init=False)
    _observed: dict[IncidentId, set[tuple[Mark, Mark]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Declare every figure, so that it is there before it is first counted."""
        where = self.registry
        self.nodes = Gauge(
            "sickbay_nodes", "Known nodes, by whether the agent is connected", ["connected"], registry=where
        )
        self.incidents = Gauge(
            "sickbay_incidents_open", "Open incidents", ["remedy", "severity"], registry=where
        )
        self.remediations = Gauge(
            "sickbay_remediations_active", "Remediations under way", ["step"], registry=where
        )
        self.orders = Gauge(
            "sickbay_orders_in_force",
            "Pauses, maintenance windows and tripped storm gates that hold actions back",
            ["kind"],
            registry=where,
        )
        self.ended = Counter(
            "sickbay_remediations_ended", "Remediations that have ended", ["step"], registry=where
        )
        self.intervals = Histogram(
            "sickbay_fault_interval_seconds",
            "From one point of a fault's way to another: " + "; ".join(f"{m} {MEANING[m]}" for m in MARKS),
            ["begin", "end"],
            buckets=_BUCKETS,
            registry=where,
        )

    def refresh(self, fleet: Fleet) -> None:
        """Count the fleet as it is."""
        states = tuple(fleet)
        connected = sum(state.session is not None for state in states)
        self.nodes.labels("true").set(connected)
        self.nodes.labels("false").set(len(states) - connected)
        _set(self.incidents, [(i.remedy or "none", i.severity.value) for i in fleet.incidents()])
        _set(self.remediations, [(s.active.step.value,) for s in states if s.active is not None])

    def refresh_orders(self, orders: StandingOrders, now: float) -> None:
        """Count what holds at `now`, in Unix seconds; a kind of which nothing holds counts 0."""
        for kind in OrderKind:
            self.orders.labels(kind.value).set(len(orders.in_force(kind, now)))

    def committed(self, batch: Batch) -> None:
        """Take what a commit changed: milestones that were reached, remediations that ended."""
        for incident in batch.incidents:
            self._observe(incident)
        for rem in batch.remediations:
            if rem.step.is_end:
                self.ended.labels(rem.step.value).inc()

    def serve(self, host: str, port: int) -> None:
        """Answer scrapes at `host:port` from a thread. OSError when the address cannot be had."""
        start_http_server(port, host, registry=self.registry)

    def _observe(self, incident: Incident) -> None:
        """Each stretch once, when its end is reached; a synthetic fault is no measurement."""
        if incident.synthetic:
            return
        seen = self._observed.setdefault(incident.id, set())
        for begin, end in INTERVALS:
            took = incident.milestones.between(begin, end)
            if took is not None and (begin, end) not in seen:
                seen.add((begin, end))
                self.intervals.labels(begin, end).observe(max(took, 0.0))
        if not incident.is_open:
            del self._observed[incident.id]


def _set(gauge: Gauge, found: Iterable[tuple[str, ...]]) -> None:
    """Counts of these labels and no others: what is not there any more must not stay behind."""
    gauge.clear()
    for labels, count in Tally(found).items():
        gauge.labels(*labels).set(count)
