"""What people are shown of the rules of a fleet: which are in force where, and how a roll-out stands."""

from dataclasses import dataclass
from enum import Enum

from sickbay.core.ids import NodeName, RuleId


class RolloutChange(Enum):
    """What a person can ask of a roll-out. BEGIN goes on with one that is held."""

    BEGIN = "begin"
    HOLD = "hold"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesOnNodes:
    """How many nodes run a set. An empty digest: their own files."""

    digest: str
    version: int
    nodes: int
    connected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedByNode:
    """A set that a node could not use, and why."""

    node: NodeName
    digest: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitingRule:
    """A built-in rule that only observes until a person confirms it; `mode` is what it asks for."""

    rule: RuleId
    mode: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesView:
    """The rules of a fleet. Words as in `sickbay.core.rollout`; `stage` from 1, times in Unix seconds.

    `candidate` is the set of the coordinator's own files, as it last found them good; `refused` says why the
    files as they are now are not it.
    """

    candidate: str
    version: int
    rules: int
    refused: tuple[str, ...]
    base: str
    target: str
    phase: str
    why: str
    stage: int
    stages: int
    stage_is: str
    since: float
    chosen: int
    running: tuple[RulesOnNodes, ...]
    refusals: tuple[RefusedByNode, ...]
    awaiting: tuple[AwaitingRule, ...]
    not_taking: int
