"""What is right by its form and still a mistake: rules that can never speak, never clear, or act too readily.

What makes a set unusable is refused when it is loaded (rule_parsing, rule_layers). What is told here is
legal, and almost always not what its author meant.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sickbay.core import sxids, xids
from sickbay.core.conditions import Mode
from sickbay.core.devices import NODE
from sickbay.core.expressions import Expression, values_of
from sickbay.core.field_reading import Entry
from sickbay.core.instants import Instant
from sickbay.core.problems import Path, Problem
from sickbay.core.remedies import NO_REMEDY, Remedy, RungKind
from sickbay.core.rules import After, ClearAfter, ClearWhen, Rule
from sickbay.core.signal_fields import FieldValue
from sickbay.core.signals import EVENT_KINDS, Signal


class Gravity(Enum):
    """ERROR: it cannot do what it says. WARNING: it does, and is likely not what was meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """One finding about one rule or remedy."""

    gravity: Gravity
    about: str
    problem: Problem

    def __str__(self) -> str:
        said = f"{self.problem.found}; expected {self.problem.expected}"
        return f"{self.problem.place}: {self.gravity.value}: {self.about}: {said}"


Finding = tuple[Gravity, Path, str, str]
"""How grave, the way to the field, what was found, and what would be right."""


def lint(
    rules: Sequence[Rule], remedies: Mapping[str, Remedy], entries: Sequence[Entry], ladders: Sequence[Entry]
) -> tuple[Lint, ...]:
    """Everything that is doubtful in a checked set.

    `entries` are the merged entries that the rules were made of, `ladders` those of the remedies; they tell
    places. In the order of files and lines.
    """
    places = {str(entry.fields.get("id")): entry for entry in entries}
    found = [
        _placed(places[rule.id], rule.id, finding)
        for rule in rules
        if rule.id in places
        for check in _CHECKS
        for finding in check(rule, remedies)
    ]
    found += [
        _placed(places[rule.id], rule.id, finding) for rule, finding in _shadowed(rules) if rule.id in places
    ]
    found += list(_unused(rules, ladders))
    return tuple(sorted(found, key=lambda each: (each.problem.file, each.problem.line, each.problem.column)))


def _placed(entry: Entry, about: str, finding: Finding) -> Lint:
    gravity, path, what, expected = finding
    place = entry.locate(path, key=bool(path))
    return Lint(gravity=gravity, about=about, problem=Problem(place=place, found=what, expected=expected))


def _without_runbook(rule: Rule, remedies: Mapping[str, Remedy]) -> Iterator[Finding]:
    if _acts(rule, remedies) and not rule.runbook:
        found = f"mode {rule.mode.value} with remedy {rule.remedy} and no runbook"
        yield Gravity.ERROR, ("mode",), found, "runbook: the page that tells a person what was done and why"


def _idle_mode(rule: Rule, remedies: Mapping[str, Remedy]) -> Iterator[Finding]:
    if rule.mode is not Mode.OBSERVE and not _acts(rule, remedies):
        found = f"mode {rule.mode.value} with remedy {rule.remedy}, which does nothing"
        yield Gravity.WARNING, ("mode",), found, "a remedy that does something, or mode: observe"


def _constant(rule: Rule, _remedies: Mapping[str, Remedy]) -> Iterator[Finding]:
    if rule.when.names == ():
        answer = rule.when.evaluate({})
        found = f"an expression that is always {str(answer).lower()}"
        yield Gravity.ERROR, ("when",), found, "one that looks at the signal"
    if (
        isinstance(rule.clear, ClearWhen)
        and rule.clear.when.names == ()
        and rule.clear.when.evaluate({}) is False
    ):
        yield Gravity.ERROR, ("clear",), "a clear that never holds", "one that readings can make true"


def _unreachable(rule: Rule, _remedies: Mapping[str, Remedy]) -> Iterator[Finding]:
    """A rule on codes that says no to every code that NVIDIA lists, whatever else the line says."""
    samples = _SAMPLES.get(rule.on)
    if samples is None or not rule.when.names:
        return
    if all(rule.when.evaluate(sample) is False for sample in samples()):
        yield (
            Gravity.ERROR,
            ("when",),
            f"no {rule.on} of the catalogue for which this can be true",
            "a code that exists",
        )


def _clears_while_true(rule: Rule, _remedies: Mapping[str, Remedy]) -> Iterator[Finding]:
    clear = rule.clear
    if isinstance(clear, ClearWhen) and clear.on == rule.on and _same(clear.when, rule.when):
        yield (
            Gravity.ERROR,
            ("clear",),
            "a clear that says the same as when",
            "what is so when the fault has gone",
        )


def _never_repaired(rule: Rule, remedies: Mapping[str, Remedy]) -> Iterator[Finding]:
    """It clears after a repair that its own remedy never makes."""
    remedy = remedies.get(rule.remedy, NO_REMEDY)
    if not isinstance(rule.clear, ClearAfter) or not remedy.acts:
        return
    done = {rung.kind for rung in remedy.ladder}
    enough = {RungKind.REBOOT, RungKind.POWER_CYCLE}
    if rule.clear.repair is After.GPU_RESET:
        enough |= {RungKind.RESET_GPU}
    if not done & (enough | {RungKind.QUARANTINE}):
        found = f"a condition that clears {rule.clear}, and a remedy {remedy.id} that never does that"
        yield (
            Gravity.ERROR,
            ("remedy",),
            found,
            f"a rung of {', '.join(sorted(kind.value for kind in enough))}",
        )


def _on_one_reading(rule: Rule, remedies: Mapping[str, Remedy]) -> Iterator[Finding]:
    polled = rule.on not in EVENT_KINDS and rule.on not in _PROVEN
    if polled and rule.mode is Mode.ACT and _acts(rule, remedies) and not rule.hold and rule.count is None:
        yield (
            Gravity.WARNING,
            ("mode",),
            "mode act on a single reading",
            "for: a span that readings must prove",
        )


def _shadowed(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Finding]]:
    """Of two rules that see the same and make the same condition, the milder one never speaks."""
    first: dict[tuple[object, ...], Rule] = {}
    for rule in sorted(rules, key=lambda each: (-each.condition.severity.rank, each.id)):
        sees = (rule.on, rule.when.text, rule.select, rule.condition.type, rule.hold, rule.count)
        other = first.setdefault(sees, rule)
        if other is not rule:
            found = f"the same as rule {other.id}, which is as grave or graver"
            yield rule, (Gravity.ERROR, ("when",), found, "another expression, or one rule of the two")


def _unused(rules: Sequence[Rule], ladders: Sequence[Entry]) -> Iterator[Lint]:
    used = {rule.remedy for rule in rules}
    for entry in ladders:
        name = str(entry.fields.get("id"))
        if name not in used:
            finding = (
                Gravity.WARNING,
                ("id",),
                "a remedy that no rule names",
                "a rule with it, or no such remedy",
            )
            yield _placed(entry, name, finding)


def _acts(rule: Rule, remedies: Mapping[str, Remedy]) -> bool:
    return rule.mode is not Mode.OBSERVE and remedies.get(rule.remedy, NO_REMEDY).acts


def _same(one: Expression, other: Expression) -> bool:
    return "".join(one.text.split()) == "".join(other.text.split())


def _xid_samples() -> list[dict[str, FieldValue]]:
    """Every code that NVIDIA lists, and one that nobody does."""
    return [
        _sample(
            "xid",
            {"code": xid.code, "name": xid.name, "class": xid.klass.value, "action": xid.action.value},
        )
        for xid in (*xids.XIDS.values(), xids.lookup(_UNLISTED))
    ]


def _sxid_samples() -> list[dict[str, FieldValue]]:
    return [
        _sample("sxid", {"code": code, "name": sxids.lookup(code).name})
        for code in (*sorted(sxids.codes()), _UNLISTED)
    ]


def _sample(kind: str, fields: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """A signal of which only the code and what follows from it is known."""
    return values_of(Signal(kind=kind, subject=NODE, at=Instant(mono=0.0, wall=0.0), fields=fields))


_SAMPLES: Mapping[str, Callable[[], list[dict[str, FieldValue]]]] = {
    "xid": _xid_samples,
    "sxid": _sxid_samples,
}

_UNLISTED = 99_999
"""A code that no source of NVIDIA names."""

_PROVEN = frozenset({"gpu_lost", "gpu_unresponsive", "recovery_action"})
"""What the driver says outright, and no sample of something that varies: once is as good as three times."""

_CHECKS = (
    _without_runbook,
    _idle_mode,
    _constant,
    _unreachable,
    _clears_while_true,
    _never_repaired,
    _on_one_reading,
)
