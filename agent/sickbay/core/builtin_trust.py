"""Which built-in rules may act: a new or changed one only observes until a person confirms it.

An upgrade must not repair nodes for reasons that nobody on this site has seen at work. What a rule was when
it was confirmed is kept as a fingerprint of what it does: its words for people may change freely.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sickbay.core.conditions import Mode
from sickbay.core.ids import RuleId
from sickbay.core.remedies import NO_REMEDY, Remedy
from sickbay.core.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaiting:
    """A built-in rule that waits for a person. `mode` is what it asks for; not `changed`: it is new."""

    rule: RuleId
    mode: Mode
    changed: bool
    fingerprint: str

    def __str__(self) -> str:
        kind = "changed" if self.changed else "new"
        return (
            f"{self.rule} is a {kind} built-in rule and only observes until a person confirms it "
            f"(sickbay rules confirm {self.rule})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What is confirmed, by rule, and what waits. `confirmed` is what is to be kept."""

    confirmed: Mapping[RuleId, str]
    awaiting: tuple[Awaiting, ...] = ()


def fingerprint(rule: Rule, remedy: Remedy) -> str:
    """Names what a rule does: what it sees, what it makes of it, how it clears, and what would follow."""
    seen = (rule.on, rule.when.text, rule.hold, rule.count, rule.boot_grace, rule.select)
    made = (rule.condition, rule.clear, rule.mode, rule.remedy, remedy.drain, remedy.ladder, remedy.attempts)
    return hashlib.sha256(repr((*seen, *made)).encode()).hexdigest()


def judged(
    confirmed: Mapping[RuleId, str] | None,
    builtins: Sequence[Rule],
    remedies: Mapping[str, Remedy],
    in_force: Mapping[RuleId, Rule],
) -> Trust:
    """What of the built-in rules may act as they ship.

    `confirmed` None: nothing ran here before, so all of them count as shipped. `in_force` are the rules with
    the site's own over them: a rule that observes by itself has nothing to confirm, and one that the site
    keeps from acting, or switched off, stays as unconfirmed as it was.
    """
    prints = {rule.id: fingerprint(rule, remedies.get(rule.remedy, NO_REMEDY)) for rule in builtins}
    if confirmed is None:
        return Trust(confirmed=prints)
    kept: dict[RuleId, str] = {}
    awaiting: list[Awaiting] = []
    for rule in builtins:
        known, now = confirmed.get(rule.id), prints[rule.id]
        effective = in_force.get(rule.id)
        observes = effective is None or effective.mode is Mode.OBSERVE
        if known == now or (observes and rule.mode is Mode.OBSERVE):
            kept[rule.id] = now
            continue
        if known is not None:
            kept[rule.id] = known
        if effective is not None and not observes:
            awaiting.append(
                Awaiting(rule=rule.id, mode=effective.mode, changed=known is not None, fingerprint=now)
            )
    return Trust(confirmed=kept, awaiting=tuple(awaiting))


def confirmed_by_person(trust: Trust, rules: Sequence[RuleId]) -> Trust:
    """The same with these rules confirmed as they are now; no names at all mean every one that waits."""
    chosen = set(rules) or {each.rule for each in trust.awaiting}
    added = {each.rule: each.fingerprint for each in trust.awaiting if each.rule in chosen}
    rest = tuple(each for each in trust.awaiting if each.rule not in chosen)
    return Trust(confirmed={**trust.confirmed, **added}, awaiting=rest)
