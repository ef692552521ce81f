"""What this coordinator may do, and how patient it is: what decisions rest on beside the facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sickbay.core.conditions import Mode
from sickbay.core.ids import RuleId
from sickbay.core.incidents import Incident, Strength
from sickbay.core.remediation import ActionKind
from sickbay.core.remedies import NO_REMEDY, Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Spans are seconds.

    `max_age`: evidence older than this begins nothing. `max_silence`: an agent that was not heard for longer
    is not acted on. `snooze`: for so long a fault of the same family stays with the person who took the node
    back. `relief`: a fault must be gone for so long before its repair is called off. `poll`: between two
    looks at what is awaited; `held`: between two questions to gates that held. `look_age`: a look at the
    scheduler may be so old where an effect follows, `waiting_look_age` where we only wait, `idle_look_age`
    where nothing can follow. `reply`: for an agent's answer to a directive. `term`: this coordinator's own.
    `cool_down`: between the end of a repair and the next of the same family on the node. `approve_from`: the
    mildest action that waits for a person's word whatever its rule says, None for none; `approval_life`: for
    so long that word counts, `approval_wait`: for so long a node that we hold waits for it.
    `awaiting`: built-in rules that only observe until a person confirms them, with the sentence that says so.
    It and `remedies` may be views of what changes when rules are read anew.
    """

    mode: Mode = Mode.OBSERVE
    accept_synthetic: bool = False
    remedies: Mapping[str, Remedy] = field(default_factory=lambda: MappingProxyType({}))
    term: int = 1
    max_age: float = 43_200.0
    max_silence: float = 30.0
    snooze: float = 86_400.0
    relief: float = 30.0
    poll: float = 1.0
    held: float = 10.0
    look_age: float = 1.0
    waiting_look_age: float = 5.0
    idle_look_age: float = 60.0
    reply: float = 15.0
    cool_down: float = 300.0
    approve_from: ActionKind | None = None
    approval_life: float = 86_400.0
    approval_wait: float = 259_200.0
    awaiting: Mapping[RuleId, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def strength(self) -> Strength:
        """How far each remedy goes."""
        return {name: remedy.strength for name, remedy in self.remedies.items()}

    def mode_of(self, rule: RuleId, mode: Mode) -> Mode:
        """The mode in which a rule's finding is taken here: one that awaits a person only observes."""
        return Mode.OBSERVE if rule in self.awaiting else mode

    def may_ever(self, incident: Incident) -> bool:
        """Whether anything but a change of the incident could let it through."""
        mode = self.mode_of(incident.rule, incident.mode).capped(self.mode)
        return mode is not Mode.OBSERVE and not incident.snoozed and self.remedy(incident.remedy).acts

    def remedy(self, name: str) -> Remedy:
        """The remedy of that name; one that is not known here does nothing."""
        return self.remedies.get(name, NO_REMEDY)
