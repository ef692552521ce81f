"""The open conditions while an observation is under way, and what there is to tell of them afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from sickbay.core.conditions import Condition
from sickbay.core.devices import Subject
from sickbay.core.ids import BootId, RuleId
from sickbay.core.instants import Instant
from sickbay.core.rule_state import Open, Raiser
from sickbay.core.rule_wording import Finding, condition_of, is_news, restated
from sickbay.core.rules import After, ClearAfter, ClearQuiet, Rule, RuleSet
from sickbay.core.signals import EVENT_KINDS, Signal

MOST_RAISERS = 64
"""Parts remembered a condition; a GPU has 18 links, a host has fewer than 64 of anything."""

MOST_XIDS = 8
"""Codes remembered a condition, for the lines that name one of them as their cause."""


class Said(Enum):
    """What the engine did with a signal or a condition, in one word."""

    OPENED = "opened"
    CHANGED = "changed"
    CLEARED = "cleared"
    HOLDING = "holding"
    COUNTING = "counting"
    IN_BOOT_GRACE = "in boot grace"
    UNKNOWN = "unknown"
    ATTACHED = "attached"
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    OTHER_BOOT = "other boot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why something did, or did not, follow. `rule` is None where no rule had a say."""

    said: Said
    subject: str
    detail: str
    rule: RuleId | None = None


@dataclass(slots=True, kw_only=True)
class Book:
    """Open conditions by key; every way in or out of them goes through here, so that none is silent."""

    now: Instant
    open: dict[str, Open]
    changed: list[Condition] = field(default_factory=list)
    explanations: list[Explanation] = field(default_factory=list)
    _touched: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, known: Mapping[str, Open], now: Instant) -> "Book":
        """A book with what was open before."""
        return cls(now=now, open=dict(known))

    def refreshed(self) -> tuple[Condition, ...]:
        """Open conditions with newer evidence and no change to tell."""
        if not self._touched:
            return ()
        told = {condition.key for condition in self.changed}
        return tuple(self.open[key].condition for key in sorted(self._touched - told) if key in self.open)

    def add(self, key: str, finding: Finding, boot_id: BootId) -> None:
        """Open a condition."""
        condition = condition_of(finding, now=self.now, boot_id=boot_id)
        at = finding.signal.at.mono
        self.open[key] = Open(
            condition=condition,
            raisers=(Raiser(subject=finding.signal.subject),),
            last_match=at,
            quiet_from=at,
            ends_with_reset=_ends_with_reset(finding.rule),
            xids=_xids((), finding.signal),
        )
        self._tell(condition)
        self.explain(Said.OPENED, finding.subject, condition.message, finding.rule)

    def support(self, key: str, finding: Finding, condition: Condition) -> None:
        """Keep further evidence of an open condition; a part that is ill again must prove itself anew."""
        known, signal = self.open[key], finding.signal
        others = tuple(raiser for raiser in known.raisers if raiser.subject.key != signal.subject.key)
        supported = replace(
            known,
            condition=condition,
            raisers=(*others, Raiser(subject=signal.subject))[-MOST_RAISERS:],
            last_match=max(known.last_match, signal.at.mono),
            quiet_from=max(known.quiet_from, signal.at.mono),
            xids=_xids(known.xids, signal),
        )
        self.keep(key, supported)

    def keep(self, key: str, known: Open) -> None:
        """Keep a condition in another form, and tell of it when that is news."""
        before = self.open[key].condition
        self.open[key] = known
        if is_news(before, known.condition):
            self._tell(known.condition)
            self.explain(Said.CHANGED, known.condition.subject, known.condition.message)
        elif before != known.condition:
            self._touched.add(key)
            self._retell(known.condition)

    def adopt(self, rules: RuleSet) -> None:
        """Let open conditions say what their rules say now; clear those that no rule makes any more."""
        for key in sorted(self.open):
            known = self.open[key]
            rule = rules.by_id.get(known.condition.rule)
            if rule is None or rule.condition.type != known.condition.type:
                self.clear(key, f"rule {known.condition.rule} no longer makes this condition")
            else:
                condition = restated(known.condition, rule)
                self.keep(key, replace(known, condition=condition, ends_with_reset=_ends_with_reset(rule)))

    def break_silence(self, mono: float) -> None:
        """Let silence count from `mono` on."""
        for key, known in self.open.items():
            self.open[key] = replace(known, quiet_from=max(known.quiet_from, mono))

    def distrust_recovery(self) -> None:
        """Let every part prove anew that it is well."""
        for key, known in self.open.items():
            raisers = tuple(replace(raiser, clearing=None) for raiser in known.raisers)
            self.open[key] = replace(known, raisers=raisers)

    def clear(self, key: str, because: str) -> Open:
        """Clear a condition, and give what was known of it."""
        known = self.open.pop(key)
        self._tell(known.condition.cleared(at=self.now.wall, because=because))
        self.explain(Said.CLEARED, known.condition.subject, because)
        return known

    def explain(self, said: Said, subject: Subject, detail: str, rule: Rule | None = None) -> None:
        """Note why something did, or did not, follow."""
        by = None if rule is None else rule.id
        self.explanations.append(Explanation(said=said, subject=subject.key, detail=detail, rule=by))

    def _tell(self, condition: Condition) -> None:
        """Note a change; several to one condition that leave it open are one."""
        if not self._retell(condition):
            self.changed.append(condition)

    def _retell(self, condition: Condition) -> bool:
        for index in range(len(self.changed) - 1, -1, -1):
            told = self.changed[index]
            if told.key == condition.key:
                if told.status is not condition.status:
                    return False
                self.changed[index] = condition
                return True
        return False


def _ends_with_reset(rule: Rule) -> bool:
    """Whether a reset of the GPU ends it: what asks for one, and events that are then history.

    An event that a reading clears is no other: where the board or its driver does not tell that reading (row
    remapping in MIG mode, what Xid 154 asks for before field 230), nothing else could end it. What a reset
    has not mended is read again.
    """
    clear = rule.clear
    if isinstance(clear, ClearAfter):
        return clear.repair is After.GPU_RESET
    return isinstance(clear, ClearQuiet) or (rule.on in EVENT_KINDS and rule.on != clear.when.kind)


def _xids(known: tuple[int, ...], signal: Signal) -> tuple[int, ...]:
    code = signal.fields.get("code") if signal.kind == "xid" else None
    return (*known, code)[-MOST_XIDS:] if isinstance(code, int) and code not in known else known
