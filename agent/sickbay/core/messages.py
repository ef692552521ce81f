"""What an agent and the coordinator say to each other, as values.

`sickbay.rpc` turns these into protobuf and back; nothing else knows how they travel.
"""

from dataclasses import dataclass
from enum import Enum

from sickbay.core.conditions import Condition
from sickbay.core.devices import Inventory
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.outcomes import Outcome
from sickbay.core.rule_bundles import NO_REPORT, RulesReport
from sickbay.core.signals import Signal


class Verb(Enum):
    """What an agent can be told to do. All but SWEEP and COLLECT_EVIDENCE change the host."""

    COLLECT_EVIDENCE = "collect_evidence"
    SWEEP = "sweep"
    RESTART_SERVICE = "restart_service"
    RESET_GPU = "reset_gpu"
    REBOOT = "reboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first word on a stream: who, on which boot, running what."""

    node: NodeName
    boot_id: BootId
    version: str
    inventory: Inventory
    rules_digest: str
    started_at: float
    pool: str = ""
    rules: RulesReport = NO_REPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class FullState:
    """Everything that holds on the node at `at` (Unix seconds). What is not in here is not so."""

    conditions: tuple[Condition, ...]
    inventory: Inventory
    readings: tuple[Signal, ...]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What changed. A condition of status FALSE has cleared; an inventory of None is unchanged."""

    conditions: tuple[Condition, ...]
    inventory: Inventory | None
    readings: tuple[Signal, ...]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a node's history: a signal that happened, or a condition that opened, changed or cleared.

    `sequence` is the spool's; `id` is the same for the same happening, whoever tells it and however often.
    """

    sequence: int
    id: str
    at: float
    boot_id: BootId
    what: Signal | Condition
    node: NodeName = NodeName("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave to act once: on this node, in this boot, under this term, until `expires_at` (Unix seconds)."""

    action_id: ActionId
    node: NodeName
    boot_id: BootId
    term: int
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """What to do, under which grant, to what (PCI addresses of GPUs, a unit's name, or nothing)."""

    verb: Verb
    grant: Grant
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReport:
    """What came of a directive."""

    action_id: ActionId
    outcome: Outcome
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The coordinator's first word: its term, and how often it wants to hear from the agent (seconds)."""

    term: int
    heartbeat_interval: float
    coordinator: str
