"""Watches for storms: collects what is reported, trips the storm gate, and opens it when it has been quiet.

A storm holds the part of the fleet in which it is seen. While it lasts, what was reported and is still so
counts on, so that the gate cannot open by the mere passing of time while nothing has got better.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sickbay.coordinator.census import Census
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.standing_orders import StandingOrders
from sickbay.core.areas import FLEET
from sickbay.core.ids import IncidentId
from sickbay.core.incidents import Incident
from sickbay.core.link_faults import Explained
from sickbay.core.orchestration import Ownership
from sickbay.core.orders import Order, OrderKind
from sickbay.core.storm_gate import Report, Storm, StormLimits, storms
from sickbay.host.clock import Clock

_PACE = 5.0
"""Seconds between two looks while a storm lasts: nothing is let through by the later of them."""

WHO = "the storm gate"


@dataclass(slots=True, kw_only=True)
class StormWatch:
    """`may_act` says whether an incident is one on which anything would be done.

    `explains` tells what another fault explains: that is no failure of its own, and does not count.
    """

    limits: StormLimits
    census: Census
    orders: StandingOrders
    clock: Clock
    may_act: Callable[[Incident], bool]
    explains: Callable[[IncidentId, float], Explained | None] = lambda _incident, _now: None
    _reports: dict[IncidentId, Report] = field(default_factory=dict)
    _open: set[IncidentId] = field(default_factory=set)
    _seen: dict[str, float] = field(default_factory=dict)
    _has_news: bool = True
    _waits: bool = False
    _looked: float = 0.0

    def changed(self, state: NodeState, incident: Incident | None) -> None:
        """An incident is this now."""
        if incident is None:
            return
        if not incident.is_open:
            self._open.discard(incident.id)
        elif incident.id in self._reports:
            self._open.add(incident.id)
        elif self._counts(state, incident):
            self._reports[incident.id] = self._report(state, incident)
            self._open.add(incident.id)
            self._has_news = True

    def look(self, now: float) -> None:
        """Trip or open the gate, if it is time to look. `now` in Unix seconds."""
        raging = self.orders.in_force(OrderKind.STORM, now)
        if not self._has_news and not ((raging or self._waits) and now - self._looked >= _PACE):
            return
        self._has_news, self._looked = False, now
        found = {storm.area: storm for storm in self._storms(now, raging=bool(raging))}
        for order in raging:
            self._keep_or_open(order, found, now)
        held = {order.area for order in raging}
        # The whole fleet first: what holds everywhere need not be said of a part.
        for area in sorted(found, key=lambda area: (area != FLEET, area)):
            if not held & {area, FLEET}:
                self._trip(found[area], now)
                held.add(area)

    def _storms(self, now: float, *, raging: bool) -> tuple[Storm, ...]:
        oldest = now - self.limits.window
        for ident in [i for i, r in self._reports.items() if r.at <= oldest and i not in self._open]:
            del self._reports[ident]
        counted = [
            report
            for ident, report in self._reports.items()
            if report.at > oldest or (raging and ident in self._open)
        ]
        said = {report.incident: self.explains(report.incident, now) for report in counted}
        # What is explained now may stand by itself later.
        self._waits = any(said.values())
        counted = [report for report in counted if said[report.incident] is None]
        since = self._forgiven(now)
        return storms(
            [report for report in counted if report.at > since],
            fleet=self.census.size(FLEET),
            limits=self.limits,
        )

    def _forgiven(self, now: float) -> float:
        """Whatever was reported before a person resumed does not trip the gate again."""
        ended = [order.ended_at for order in self.orders.orders if order.kind is OrderKind.STORM]
        return max((at for at in ended if at is not None and at <= now), default=0.0)

    def _trip(self, found: Storm, now: float) -> None:
        order = Order(
            id=f"storm-{now:.0f}-{found.area.replace(':', '-')}",
            kind=OrderKind.STORM,
            area=found.area,
            by=WHO,
            reason=found.why,
            begins_at=now,
        )
        self._seen[order.id] = now
        self.orders.put(order, what="storm gate tripped", why=found.why, at=now)

    def _keep_or_open(self, order: Order, found: dict[str, Storm], now: float) -> None:
        goes_on = order.area in found or (order.area == FLEET and found)
        since = self._seen.setdefault(order.id, now)
        if goes_on:
            self._seen[order.id] = now
        elif now - since >= self.limits.quiet:
            self.orders.put(order.ended(now), what="storm gate opened", why="it has been quiet", at=now)

    def _counts(self, state: NodeState, incident: Incident) -> bool:
        """Whether the incident speaks of a fault by itself, on a node in service, that we would act on."""
        now = self.clock.now().wall
        if incident.synthetic or incident.snoozed or not self.may_act(incident):
            return False
        if incident.opened_at <= now - self.limits.window:
            return False
        planned = self.orders.over(self.census.place(state), now).orders
        seen = state.observation
        is_foreign = seen is not None and seen.ownership is Ownership.FOREIGN
        return not is_foreign and all(order.kind is OrderKind.STORM for order in planned)

    def _report(self, state: NodeState, incident: Incident) -> Report:
        place = self.census.place(state)
        jobs = () if state.observation is None else state.observation.jobs or ()
        groups = {group: self.census.size(group) for group in (FLEET, *place.groups)}
        groups |= {f"job:{job.id}": len(job.nodes) for job in jobs if len(job.nodes) > 1}
        shared = place.domains[0] if place.domains else f"node:{state.name}"
        return Report(
            incident=incident.id,
            node=state.name,
            family=incident.family,
            reason=incident.reason,
            at=incident.opened_at,
            cause=f"{shared}/{incident.family}",
            groups=groups,
        )
