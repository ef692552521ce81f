"""Rules as values: what makes a condition, how it clears, and what may be done about it.

`sickbay.core.rule_parsing` makes them from YAML, `sickbay.core.rule_engine` applies them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TypeVar

from sickbay.core.conditions import Mode, Severity
from sickbay.core.devices import Scope
from sickbay.core.expressions import Expression
from sickbay.core.ids import RuleId
from sickbay.core.instants import format_duration
from sickbay.core.selectors import Selector

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A pattern: so many matches in `within` seconds; with `distinct`, of so many values of that field."""

    at_least: int
    within: float
    distinct: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSpec:
    """The condition that a rule makes. `reason` may name fields of the signal: `Xid{code}`."""

    type: str
    severity: Severity
    scope: Scope
    reason: str
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearWhen:
    """Clears when readings of kind `on` say so, unbroken for `hold` seconds (0: one reading is enough)."""

    when: Expression
    on: str
    hold: float = 0.0

    def __str__(self) -> str:
        span = f" for {format_duration(self.hold)}" if self.hold else ""
        return f"when {self.on} readings show {self.when.text}{span}"


class After(Enum):
    """The repair that clears. A reboot resets every GPU, so it satisfies GPU_RESET too."""

    REBOOT = "reboot"
    GPU_RESET = "gpu_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAfter:
    """Clears when the repair was seen: a new boot_id, or a reset of the condition's GPU."""

    repair: After

    def __str__(self) -> str:
        if self.repair is After.REBOOT:
            return "after a reboot of the node"
        return "after a reset of the GPU, or a reboot of the node"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearQuiet:
    """Clears when no such event came for `quiet` seconds in which the log could be read without a gap.

    A reset of the GPU ends it at once: what the log said before is then history.
    """

    quiet: float

    def __str__(self) -> str:
        return f"after {format_duration(self.quiet)} without another in a readable kernel log, or a reset"


Clear = ClearWhen | ClearAfter | ClearQuiet


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, checked. Spans are in seconds; `hold` is the YAML's `for`.

    `boot_grace` counts from boot: readings taken before it are passed over. Without `select` a rule is for
    every node. `layer` is the file that the rule was added in, `line` its line there.
    """

    id: RuleId
    on: str
    when: Expression
    condition: ConditionSpec
    clear: Clear
    hold: float = 0.0
    count: Count | None = None
    boot_grace: float = 0.0
    remedy: str = "none"
    mode: Mode = Mode.OBSERVE
    because: str = ""
    runbook: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    select: Selector | None = None
    layer: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules that apply, indexed so that a signal meets the rules on its kind and no others."""

    rules: tuple[Rule, ...]
    digest: str
    by_id: Mapping[RuleId, Rule]
    by_kind: Mapping[str, tuple[Rule, ...]]
    clearing_by_kind: Mapping[str, tuple[tuple[Rule, ClearWhen], ...]]

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> "RuleSet":
        """A set of rules with ids of their own. The digest names what they say, not where they stand."""
        ordered = tuple(sorted(rules, key=lambda rule: rule.id))
        return cls(
            rules=ordered,
            digest=_digest(ordered),
            by_id=MappingProxyType({rule.id: rule for rule in ordered}),
            by_kind=_grouped([(rule.on, rule) for rule in ordered]),
            clearing_by_kind=_grouped(
                [(clear.on, (rule, clear)) for rule in ordered if isinstance(clear := rule.clear, ClearWhen)],
            ),
        )


def _grouped(pairs: Sequence[tuple[str, _T]]) -> Mapping[str, tuple[_T, ...]]:
    groups: dict[str, list[_T]] = {}
    for kind, item in pairs:
        groups.setdefault(kind, []).append(item)
    return MappingProxyType({kind: tuple(items) for kind, items in groups.items()})


def _digest(rules: Sequence[Rule]) -> str:
    """The repr of frozen values is canonical: the same rules give the same text on every host."""
    said = hashlib.sha256()
    for rule in rules:
        parts = (rule.id, rule.on, rule.when.text, rule.condition, rule.clear, rule.hold, rule.count)
        rest = (rule.boot_grace, rule.remedy, rule.mode, rule.because, rule.runbook, rule.labels)
        said.update(repr((*parts, *rest, rule.select)).encode())
    return said.hexdigest()


NO_RULES = RuleSet.of(())
"""The set before any was loaded."""
