"""The freshness gate: what is acted on is so now, on the machine as it runs now, and was seen lately."""

from dataclasses import dataclass

from sickbay.core.decisions import Finding, held_back, let_through
from sickbay.core.ids import BootId
from sickbay.core.instants import format_duration
from sickbay.core.orders import Standing

_GATE = "freshness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of the fault. Spans are seconds; None is *not known*.

    `evidence_age` is how long ago the fault was last seen to be so, `silent_for` how long ago the node's
    agent was last heard: both are measured on monotonic clocks, so that a clock that is set does not make old
    evidence young. `under_way` says that the action belongs to a remediation that has already taken the node
    out of service; `fault_boot` is then the boot that its repair must lead away from. `vouched_ago` is how
    long ago a person approved of acting on it, which is as good as having seen it.
    """

    incident_open: bool
    snoozed: bool
    fault_boot: BootId
    node_boot: BootId | None
    evidence_age: float | None
    max_age: float
    silent_for: float | None
    max_silence: float
    under_way: bool
    vouched_ago: float | None = None

    @property
    def age(self) -> float | None:
        """Seconds since the fault was seen, or a person said that it counts."""
        known = [age for age in (self.evidence_age, self.vouched_ago) if age is not None]
        return min(known, default=None)


def freshness_gate(sight: Sight, standing: Standing) -> Finding:
    """The fault is still there, and was seen since anybody last held their hand over the node."""
    stale = _stale(sight, standing)
    if stale:
        return held_back(_GATE, stale)
    if sight.under_way or sight.age is None:
        return let_through(_GATE, "the same boot, and the agent is heard")
    return let_through(
        _GATE,
        f"seen {format_duration(sight.age)} ago, {format_duration(sight.max_age)} allowed",
    )


def _stale(sight: Sight, standing: Standing) -> str:
    """Why the evidence no longer counts; empty when it does."""
    age, released = sight.age, standing.released_ago
    too_old = age is None or age > sight.max_age
    is_backlog = released is not None and (age is None or age > released)
    reasons = (
        (not sight.incident_open, "the incident is over"),
        (sight.snoozed, "a person took the node back; the incident is snoozed"),
        (sight.node_boot is None, "nothing is known of the node's present boot"),
        (sight.node_boot != sight.fault_boot, "the evidence is of another boot"),
        (sight.silent_for is None, "the node's agent has not been heard since the coordinator started"),
        ((sight.silent_for or 0.0) > sight.max_silence, f"the agent is silent for {_span(sight.silent_for)}"),
        (
            not sight.under_way and too_old,
            f"the fault was last seen {_span(age)} ago, {_span(sight.max_age)} allowed",
        ),
        (
            not sight.under_way and is_backlog,
            f"the fault was not seen since the last hold on this node ended, {_span(released)} ago",
        ),
    )
    return next((why for holds, why in reasons if holds), "")


def _span(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else format_duration(seconds)
