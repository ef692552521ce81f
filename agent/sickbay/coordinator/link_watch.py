"""Knows the NVLink faults of the fleet by their domains, to tell who only heard of another's fault."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sickbay.coordinator.node_state import NodeState
from sickbay.core.areas import Place
from sickbay.core.ids import IncidentId
from sickbay.core.incidents import Incident
from sickbay.core.link_faults import Explained, LinkFault, Side, explained, link_fault


@dataclass(slots=True, kw_only=True)
class LinkWatch:
    """`place` says where a node stands. `changed` goes to `Fleet.on_change` before the fleet is filled."""

    place: Callable[[NodeState], Place]
    _open: dict[IncidentId, NodeState] = field(default_factory=dict)

    def changed(self, state: NodeState, incident: Incident | None) -> None:
        """An incident is this now."""
        if incident is None:
            return
        if incident.is_open:
            self._open[incident.id] = state
        else:
            self._open.pop(incident.id, None)

    def explained(self, state: NodeState, incident: Incident | None, now: float) -> Explained | None:
        """What explains the node's incident; None when it stands by itself. `now` in Unix seconds."""
        if incident is None:
            return None
        fault = self._fault(state, incident)
        if fault is None or fault.side is Side.ROOT:
            return None
        others = (self._known(ident) for ident in self._open)
        return explained(fault, filter(None, others), now)

    def explains(self, ident: IncidentId, now: float) -> Explained | None:
        """The same, of an incident of which only the id is at hand."""
        state = self._open.get(ident)
        return None if state is None else self.explained(state, state.incidents.get(ident), now)

    def _known(self, ident: IncidentId) -> LinkFault | None:
        state = self._open[ident]
        incident = state.incidents.get(ident)
        return None if incident is None else self._fault(state, incident)

    def _fault(self, state: NodeState, incident: Incident) -> LinkFault | None:
        conditions = state.conditions if state.has_full_state else {}
        return link_fault(incident, conditions, self._domain(state, incident))

    def _domain(self, state: NodeState, incident: Incident) -> str:
        """As the site's map says it, else as the GPU does; the GPUs of one host have links anyway."""
        mapped = [area for area in self.place(state).domains if area.startswith("nvlink:")]
        if mapped:
            return mapped[0]
        fabric = state.readings.get(("fabric", incident.subject.key))
        cluster = None if fabric is None else fabric.fields.get("cluster")
        if fabric is None or not cluster:
            return f"node:{state.name}"
        return f"nvlink:{cluster}/{fabric.fields.get('clique')}"
