"""NVLink faults across one NVLink domain: which part failed, and which only heard of it.

Xid 145 comes from the unit of a GPU that has requests under way to other GPUs (RLW). When a link goes down
somewhere in the domain, every GPU that was talking over it prints one, in nanoseconds' distance and by the
dozen; NVIDIA's catalogue has for it CHECK_NVLINK_FAILURE_FLOW: a link that went down within 30 s explains it
(https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html). What says that a part is at fault by
itself is a fatal Xid of another unit of the link (144, 146 to 150; 149 is a link that went down), or a GPU
that fell off the bus and took its links with it (79).

A victim begins nothing of its own while its root is open. It is never lost by that: it stays open, it says
what explains it, and it stands by itself again when its root has ended or has lasted too long. Where the
driver asks for a repair of the victim itself (Xid 154), that is more than hearsay, and it stands by itself
from the start.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from sickbay.core.conditions import Condition, Severity
from sickbay.core.decisions import Finding, held_back, let_through
from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.instants import format_duration

ROOTS = frozenset({79, 144, 146, 147, 148, 149, 150})
"""Xids of what failed by itself, where they are grave."""

VICTIMS = frozenset({145})
"""Xids of those whose requests to others got lost."""

WINDOW = 30.0
"""Seconds between a link's end and the Xids that it explains, as NVIDIA's catalogue has it."""

LONGEST = 7_200.0
"""Seconds after which a victim stands by itself though its root is still open."""

GATE = "root"

_XID = re.compile(r"Xid(\d{1,3})")


class Side(Enum):
    """What an incident is to the others of its domain."""

    ROOT = "root"
    VICTIM = "victim"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFault:
    """An open incident with NVLink faults. `at` is when their evidence came to exist, in Unix seconds.

    `domain` is an area such as `nvlink:NAME`; nodes of different ones have no links between them.
    """

    incident: IncidentId
    node: NodeName
    domain: str
    side: Side
    reason: str
    at: float
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What is known of a victim: its root, or None while one may still show itself. `why` is for people."""

    root: IncidentId | None
    why: str


def link_fault(incident: Incident, conditions: Mapping[str, Condition], domain: str) -> LinkFault | None:
    """The incident as an NVLink fault, None where it is none, or has more to it than hearsay.

    `conditions` are those of the node by key. While they are not known (its agent has not been heard since
    the coordinator began) the incident's own words stand for them.
    """
    if not incident.is_open:
        return None
    present = [conditions[key] for key in incident.conditions if key in conditions]
    told = [(c.reason, c.severity, c.t0 or c.since) for c in present if c.is_open]
    told = told or [(incident.reason, incident.severity, incident.milestones.t0 or incident.opened_at)]
    roots = [each for each in told if _xid(each[0]) in ROOTS and each[1].rank >= Severity.CRITICAL.rank]
    weighty = [each for each in told if each[1].rank >= Severity.WARNING.rank]
    is_victim = bool(weighty) and all(_xid(reason) in VICTIMS for reason, _, _ in weighty)
    if not roots and not is_victim:
        return None
    reason, _, at = min(roots or weighty, key=lambda each: (each[2], each[0]))
    return LinkFault(
        incident=incident.id,
        node=incident.node,
        domain=domain,
        side=Side.ROOT if roots else Side.VICTIM,
        reason=reason,
        at=at,
        synthetic=incident.synthetic,
    )


def explained(fault: LinkFault, others: Iterable[LinkFault], now: float) -> Explained | None:
    """What explains a fault; None for one that stands by itself. `now` in Unix seconds.

    The earliest root within the window counts. An injected root explains no real fault.
    """
    if fault.side is Side.ROOT or now - fault.at >= LONGEST:
        return None
    roots = [
        other
        for other in others
        if other.side is Side.ROOT
        and other.incident != fault.incident
        and other.domain == fault.domain
        and abs(other.at - fault.at) <= WINDOW
        and (fault.synthetic or not other.synthetic)
    ]
    if roots:
        root = min(roots, key=lambda other: (other.at, other.incident))
        why = f"{fault.reason} is explained by {root.reason} of {root.node} ({root.incident})"
        until = format_duration(LONGEST)
        return Explained(
            root=root.incident,
            why=f"{why} in {fault.domain}; it stands by itself when that has ended, or after {until}",
        )
    if 0 <= now - fault.at < WINDOW:
        why = f"{fault.reason} tells of other GPUs of {fault.domain}"
        return Explained(root=None, why=f"{why}; its cause has {format_duration(WINDOW)} to show itself")
    return None


def attached(faults: Iterable[LinkFault], now: float) -> Mapping[IncidentId, IncidentId]:
    """Every victim that has a root, with it."""
    faults = tuple(faults)
    found = ((fault.incident, explained(fault, faults, now)) for fault in faults)
    return {victim: said.root for victim, said in found if said is not None and said.root is not None}


def root_gate(said: Explained | None, *, under_way: bool) -> Finding:
    """What another fault explains begins nothing; a repair that has taken its node goes on."""
    if said is None:
        return let_through(GATE, "the fault stands by itself")
    if under_way:
        return let_through(GATE, f"{said.why}; but the node is out of service already")
    return held_back(GATE, said.why)


def _xid(reason: str) -> int | None:
    found = _XID.fullmatch(reason)
    return int(found[1]) if found else None
