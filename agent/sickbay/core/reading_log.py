"""Which readings are worth keeping: those that a rule could tell from the last one that was kept.

A host is read thousands of times a day and mostly says the same. What is kept lets a rule set be tried on the
past (core.replay): a reading went on to be so until the next one of its kind and part. Numbers must move by a
quarter, or in their unit by what no threshold would be set finer than; nothing is kept twice in a minute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sickbay.core.rules import ClearWhen, RuleSet
from sickbay.core.signal_fields import FieldValue
from sickbay.core.signals import KINDS, Signal

LEAST_APART = 60.0
"""Seconds between two kept readings of one kind and part."""

_SHARE = 0.25
_FLOORS: Mapping[str, float] = {"C": 5.0, "W": 50.0, "1/s": 0.01, "1/min": 0.1, "s": 0.5}
"""In a field's unit, the least move that matters even where a quarter of the value is less."""


@dataclass(slots=True, kw_only=True)
class ReadingLog:
    """What was kept last of each part. Only the fields that some rule names decide; all are kept."""

    named: Mapping[str, frozenset[str]]
    _kept: dict[tuple[str, str], Signal] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: RuleSet) -> "ReadingLog":
        """A log for these rules that has kept nothing yet."""
        return cls(named=named_fields(rules))

    def worth_keeping(self, signals: Iterable[Signal]) -> tuple[Signal, ...]:
        """Those of the readings that say something new; from now on they are what was kept last."""
        kept = tuple(signal for signal in signals if not signal.is_event and self._is_news(signal))
        self._kept.update({(signal.kind, signal.subject.key): signal for signal in kept})
        return kept

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """Let go of what was kept last of parts that are gone, by kind and part."""
        for key in keys:
            self._kept.pop(key, None)

    def _is_news(self, signal: Signal) -> bool:
        names = self.named.get(signal.kind)
        if not names:
            return False
        before = self._kept.get((signal.kind, signal.subject.key))
        if before is None:
            return True
        if 0.0 <= signal.at.mono - before.at.mono < LEAST_APART:
            return False
        units = KINDS[signal.kind]
        return any(
            differs(before.fields.get(name), signal.fields.get(name), units[name].unit) for name in names
        )


def named_fields(rules: RuleSet) -> Mapping[str, frozenset[str]]:
    """Kind -> the fields that rules, or what clears them, look at."""
    named: dict[str, set[str]] = {}
    for rule in rules.rules:
        looks = [(rule.on, rule.when)]
        if isinstance(rule.clear, ClearWhen):
            looks.append((rule.clear.on, rule.clear.when))
        for kind, expression in looks:
            fields = {name.removeprefix("signal.") for name in expression.names if name.startswith("signal.")}
            named.setdefault(kind, set()).update(fields & KINDS[kind].keys())
    return {kind: frozenset(fields) for kind, fields in named.items()}


def differs(before: FieldValue, now: FieldValue, unit: str) -> bool:
    """Whether a field moved by enough to matter; anything else than a number did if it is another."""
    if before == now:
        return False
    if isinstance(before, bool | str | None) or isinstance(now, bool | str | None):
        return True
    if (before == 0) != (now == 0):
        return True
    return abs(now - before) >= max(_SHARE * abs(before), _FLOORS.get(unit, 0.0))
