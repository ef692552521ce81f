"""A case through the rules, and where the two disagree, with what the engine has to say of it."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sickbay.core.case_history import EPOCH, history_of
from sickbay.core.conditions import Condition
from sickbay.core.history import About, HistoryEntry, Looked
from sickbay.core.ids import NodeName, RuleId
from sickbay.core.instants import Instant, format_duration
from sickbay.core.platforms import PlatformProfile
from sickbay.core.rehearsal import NodeRehearsal, Rehearsed
from sickbay.core.remedies import Remedy
from sickbay.core.replay import Change, NodeReplay
from sickbay.core.rule_book import Explanation, Said
from sickbay.core.rule_cases import Case, Expectation, ReadLines, Wanted
from sickbay.core.rules import Rule, RuleSet

_TELLING = frozenset({Said.HOLDING, Said.COUNTING, Said.IN_BOOT_GRACE, Said.UNKNOWN, Said.CLEARED})
"""What the engine says of something that did not come to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One thing that is not as it was to be. `why` is what the engine said of it."""

    expectation: Expectation
    expected: str
    found: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What came of a case.

    `fired`: rules whose condition was open at some time; `asked`: rules on a kind of signal that was given.
    """

    case: Case
    disagreements: tuple[Disagreement, ...]
    fired: frozenset[RuleId]
    asked: frozenset[RuleId]

    @property
    def holds(self) -> bool:
        """Whether everything was as it was to be."""
        return not self.disagreements


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """All that cases are run with."""

    rules: RuleSet
    remedies: Mapping[str, Remedy]
    platforms: Mapping[str, PlatformProfile]
    read_lines: ReadLines


@dataclass(slots=True, kw_only=True)
class _Run:
    """A case under way."""

    rules: RuleSet
    replay: NodeReplay
    rehearsal: NodeRehearsal
    said: list[Explanation]
    done: list[Rehearsed] = field(default_factory=list)
    opened: dict[str, Condition] = field(default_factory=dict)
    fired: set[RuleId] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    _latest: dict[tuple[RuleId, str], tuple[Instant, Explanation]] = field(default_factory=dict)

    def take(self, entry: HistoryEntry) -> None:
        """One entry more."""
        if isinstance(entry, Looked):
            self.kinds.update(signal.kind for signal in entry.signals)
        for change in self.replay.take(entry):
            self._absorb(change)
        for explanation in self.said:
            if explanation.rule is not None and explanation.said in _TELLING:
                self._latest[explanation.rule, explanation.subject] = (entry.now, explanation)
        self.said.clear()

    def why_not(self, wanted: Wanted, since: Instant) -> tuple[str, ...]:
        """What stands between the wanted condition and the rules that could make it."""
        makers = [
            rule
            for rule in self.rules.rules
            if rule.condition.type == wanted.type and wanted.rule in {None, rule.id}
        ]
        return tuple(text for rule in makers for text in self._about(rule, since))

    def _about(self, rule: Rule, since: Instant) -> Iterator[str]:
        if rule.on not in self.kinds:
            yield f"{rule.id}: no signal of kind {rule.on} was given"
            return
        told = [each for (name, _), each in self._latest.items() if name == rule.id]
        for at, explanation in told:
            when = format_duration(at.wall - since.wall)
            said = f"{explanation.said.value}: {explanation.detail}"
            yield f"{rule.id} on {explanation.subject}: {said} (at {when})"
        if not told:
            selected = f", or does not apply here ({rule.select})" if rule.select else ""
            yield f"{rule.id}: {rule.when.text} did not hold{selected}"

    def _absorb(self, change: Change) -> None:
        condition = change.condition
        if condition.is_open:
            self.opened[condition.key] = condition
            self.fired.add(condition.rule)
        self.done += self.rehearsal.take(change)


def run_case(case: Case, bench: Bench) -> CaseResult:
    """Run one case from its beginning to its last expectation."""
    history = history_of(case, bench.read_lines, bench.platforms)
    run = _begun(case, bench)
    pending = deque(history.entries)
    found: list[Disagreement] = []
    for expectation in sorted(case.expectations, key=lambda each: each.at):
        while pending and pending[0].now.wall <= EPOCH + expectation.at:
            run.take(pending.popleft())
        # The agent judges every few seconds though nothing was seen, so what silence ends is gone.
        run.take(Looked(node=run.replay.node, now=history.moment(expectation.at)))
        found += _disagreements(expectation, run, history.moment(0.0))
    asked = frozenset(rule.id for rule in bench.rules.rules if rule.on in run.kinds)
    return CaseResult(case=case, disagreements=tuple(found), fired=frozenset(run.fired), asked=asked)


def _begun(case: Case, bench: Bench) -> _Run:
    node, said = NodeName(case.node), list[Explanation]()
    strength = {name: remedy.strength for name, remedy in bench.remedies.items()}
    return _Run(
        rules=bench.rules,
        replay=NodeReplay(node=node, rules=bench.rules, about=About(source=case.name), heard=said.extend),
        rehearsal=NodeRehearsal(node=node, remedies=bench.remedies, strength=strength),
        said=said,
    )


def _disagreements(expectation: Expectation, run: _Run, since: Instant) -> Iterator[Disagreement]:
    def differs(expected: str, found: str, why: tuple[str, ...] = ()) -> Disagreement:
        return Disagreement(expectation=expectation, expected=expected, found=found, why=why)

    conditions = run.replay.state.conditions
    for wanted in (*(expectation.open or ()), *expectation.among):
        if not any(wanted.is_met_by(condition) for condition in conditions):
            alike = [condition for condition in conditions if condition.type == wanted.type]
            why = () if alike else run.why_not(wanted, since)
            yield differs(f"open: {wanted}", _listed(alike, "not open"), why)
    for condition in conditions:
        if expectation.open is not None and not any(each.speaks_of(condition) for each in expectation.open):
            yield differs(f"nothing else open than {_types(expectation.open)}", _shown(condition))
        if condition.type in (*expectation.absent, *expectation.cleared):
            yield differs(f"{condition.type} not open", _shown(condition), (f"it clears {condition.clears}",))
    were = {condition.type for condition in run.opened.values()}
    for type_ in expectation.cleared:
        if type_ not in were:
            yield differs(f"{type_} cleared", "it was never open", run.why_not(Wanted(type=type_), since))
    yield from _done_otherwise(expectation, run, differs)


def _done_otherwise(
    expectation: Expectation, run: _Run, differs: Callable[[str, str], Disagreement]
) -> Iterator[Disagreement]:
    wanted = expectation.proposals
    if wanted is None:
        return
    pairs = list(zip(wanted, run.done, strict=False))
    if len(wanted) != len(run.done) or not all(each.is_met_by(done) for each, done in pairs):
        found = ", ".join(f"{done.what} ({done.incident.rule})" for done in run.done)
        yield differs(
            f"would do: {', '.join(map(str, wanted)) or 'nothing'}", found or "nothing would be done"
        )


def _types(wanted: tuple[Wanted, ...]) -> str:
    return ", ".join(each.type for each in wanted) or "nothing"


def _listed(conditions: list[Condition], none: str) -> str:
    return "; ".join(_shown(condition) for condition in conditions) or none


def _shown(condition: Condition) -> str:
    return (
        f"{condition.type}, on {condition.subject.key}, severity {condition.severity.value}, "
        f"reason {condition.reason}, rule {condition.rule}, remedy {condition.remedy}, "
        f"mode {condition.mode.value}"
    )
