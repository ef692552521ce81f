"""The history of nodes, as it was recorded: what was seen, what the rules then made of it, what was done.

Times of a boot are monotonic, times of the world Unix seconds; an `Instant` carries both. A history is in
the order in which it happened on each node; nodes do not depend on each other.
"""

from dataclasses import dataclass, field

from sickbay.core.conditions import Condition
from sickbay.core.facts import NO_FACTS, Facts
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.rule_state import EngineState
from sickbay.core.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A process began to watch: a boot, or an agent that started anew in the same one.

    `state` is what the rules knew, where the record has it. `goes_on` says that nothing began but the file:
    the rules went on with that state.
    """

    node: NodeName
    now: Instant
    boot_id: BootId
    facts: Facts = NO_FACTS
    state: EngineState | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What rules choose nodes and GPUs by is this from now on."""

    node: NodeName
    now: Instant
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Signals that were judged together, at `now`; none of them where only time had passed."""

    node: NodeName
    now: Instant
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WasReset:
    """A reset of a GPU was seen to have worked."""

    node: NodeName
    now: Instant
    pci: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the rules of that time said: a condition that opened, changed or cleared."""

    node: NodeName
    now: Instant
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What was done to the node, by whom and why; `what` is an action's name (`cordon`, `reboot` …)."""

    node: NodeName
    now: Instant
    what: str
    who: str = ""
    why: str = ""


HistoryEntry = Began | Learnt | Looked | WasReset | Told | Acted


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """How a history was kept.

    `sparse`: readings stand in it only when they changed; between two of them the last one went on to be so,
    as long as the node was watched. Otherwise every reading that was judged is there. `every_look`: so is
    every look at which nothing was read, so that time alone brings nothing that is not recorded. `interval`
    is how often readings were taken, in seconds.
    """

    source: str
    sparse: bool = False
    interval: float = 10.0
    version: str = ""
    nodes: tuple[NodeName, ...] = field(default=())
    every_look: bool = False
