"""Approvals: a person's word for, or against, what would be done about one incident."""

from dataclasses import dataclass
from types import MappingProxyType

from sickbay.core.conditions import Mode
from sickbay.core.decisions import Finding, held_back, let_through
from sickbay.core.ids import IncidentId
from sickbay.core.instants import format_duration
from sickbay.core.remediation import ActionKind

_GATE = "approval"

SEVERITY = MappingProxyType(
    {
        kind: rank
        for rank, kind in enumerate(
            (
                ActionKind.CORDON,
                ActionKind.RESTART_SERVICE,
                ActionKind.RESET_GPU,
                ActionKind.REBOOT,
                ActionKind.POWER_CYCLE,
            ),
        )
    },
)
"""The harmful actions, in rising order of what they take from the users of the node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """`granted` or denied, by whom and why. Times are Unix seconds; a denial holds until it is overruled."""

    incident: IncidentId
    granted: bool
    by: str
    at: float
    expires_at: float | None = None
    reason: str = ""

    def holds(self, now: float) -> bool:
        """Whether it still counts."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Whether an action waits for a person, and what they said.

    `needed` says why somebody must be asked; empty: nobody must. `given` counts at the moment of the
    question; `ago` is how many seconds old it is.
    """

    incident: IncidentId | None
    needed: str = ""
    given: Approval | None = None
    ago: float = 0.0


def needed_for(action: ActionKind, *, rule: Mode, cluster: Mode, threshold: ActionKind | None) -> str:
    """Why `action` needs a person's word; empty when it needs none.

    A rule of mode `propose` asks before anything; above that, whatever takes as much as `threshold` asks.
    """
    if rule.capped(cluster) is Mode.PROPOSE:
        return f"the rule says {rule.value}, the cluster allows {cluster.value}"
    if threshold is not None and SEVERITY.get(action, len(SEVERITY)) >= SEVERITY[threshold]:
        return f"{action.value} is for a person to approve here"
    return ""


def approval_gate(what: str, consent: Consent) -> Finding:
    """What needs a person's word waits for it; a word against holds whatever needs none."""
    given = consent.given
    if given is not None and not given.granted:
        return held_back(_GATE, f"denied by {given.by}: {given.reason or 'no reason given'}")
    if not consent.needed:
        return let_through(_GATE, "nobody has to be asked")
    if given is not None:
        return let_through(_GATE, f"approved by {given.by} {format_duration(consent.ago)} ago")
    asked = f"sickbay approve {consent.incident}" if consent.incident else "its incident is not known"
    return held_back(_GATE, f"would {what}, but {consent.needed} ({asked})")
