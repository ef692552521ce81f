"""One observation under way: the only mutable part of the rule engine, never seen outside one call of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.expressions import values_of
from sickbay.core.facts import NO_FACTS, Facts
from sickbay.core.ids import BootId, RuleId
from sickbay.core.instants import Instant, format_duration
from sickbay.core.rule_book import Book, Said
from sickbay.core.rule_patterns import counted, extended, proves, suffices
from sickbay.core.rule_state import EngineState, Hit, Open, Raiser, Run, Seen, news_of
from sickbay.core.rule_wording import Finding, attached, concerned, repeated, supported
from sickbay.core.rules import ClearQuiet, ClearWhen, Count, Rule, RuleSet
from sickbay.core.signals import KINDS, FieldValue, Signal

_T = TypeVar("_T")

LOG_MONITOR = "kernel_log"
"""The monitor whose sight makes silence in the kernel log mean something."""

MOST_PROGRESS = 4096
"""Runs, and counts, kept at once: some hundred rules on sixteen GPUs. The oldest are forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """A signal as the rules see it. `more`: happenings not counted before; 0 for a reading."""

    signal: Signal
    values: dict[str, FieldValue]
    more: int


@dataclass(slots=True, kw_only=True)
class Turn:
    """The state being changed. `book` holds the open conditions and what there is to tell."""

    boot_id: BootId
    digest: str
    book: Book
    runs: dict[str, Run]
    hits: dict[str, tuple[Hit, ...]]
    seen: dict[str, tuple[Seen, ...]]
    blind: set[str]
    facts: Facts
    _beside: dict[str, Mapping[str, FieldValue]] = field(default_factory=dict)

    @classmethod
    def begin(cls, state: EngineState, now: Instant, facts: Facts = NO_FACTS) -> "Turn":
        """A turn that starts from `state`."""
        return cls(
            boot_id=state.boot_id,
            digest=state.rules_digest,
            book=Book.of(state.open, now),
            runs=dict(state.runs),
            hits=dict(state.hits),
            seen=dict(state.seen),
            blind=set(state.blind),
            facts=facts,
        )

    def state(self) -> EngineState:
        """The state that the turn has come to."""
        return EngineState(
            boot_id=self.boot_id,
            rules_digest=self.digest,
            open=self.book.open,
            runs=_newest(self.runs),
            hits=_newest(self.hits),
            seen=self.seen,
            blind=tuple(sorted(self.blind)),
        )

    def enter_boot(self, boot_id: BootId) -> None:
        """Take up a boot. What was known of another one ends."""
        if self.boot_id != boot_id:
            for key in sorted(self.book.open):
                self.book.clear(key, "the node has booted since; what still holds will be seen again")
            self.runs, self.hits, self.seen, self.blind = {}, {}, {}, set()
        self.boot_id = boot_id

    def look_again(self) -> None:
        """Nobody was looking: unbroken readings and silence start to count anew."""
        self.runs, self.blind = {}, set()
        self.book.break_silence(self.book.now.mono)
        self.book.distrust_recovery()

    def adopt(self, rules: RuleSet) -> None:
        """Bring progress and open conditions in line with a changed rule set."""
        if self.digest == rules.digest:
            return
        self.digest = rules.digest
        self.runs = {key: run for key, run in self.runs.items() if _rule_in(key) in rules.by_id}
        self.hits = {key: hits for key, hits in self.hits.items() if _rule_in(key) in rules.by_id}
        self.book.adopt(rules)

    def pass_time(self, rules: RuleSet) -> None:
        """Clear what has been quiet for long enough, as long as the log can be read."""
        if LOG_MONITOR in self.blind:
            return
        for key in sorted(self.book.open):
            known = self.book.open[key]
            clear = rules.by_id[known.condition.rule].clear
            if isinstance(clear, ClearQuiet) and self.book.now.mono - known.quiet_from >= clear.quiet:
                self._clear(key, f"no other such event for {format_duration(clear.quiet)}")

    def forget_gpu(self, pci: str) -> None:
        """Clear what a reset of one GPU clears, with the progress that rests on what came before."""
        part = f"/{pci}"
        self.runs = {key: run for key, run in self.runs.items() if part not in key}
        self.hits = {key: hits for key, hits in self.hits.items() if part not in key}
        for key in sorted(self.book.open):
            known = self.book.open[key]
            if known.ends_with_reset and known.condition.subject.pci == pci:
                self._clear(key, "the GPU was reset")

    def take(self, rules: RuleSet, signal: Signal) -> None:
        """Apply the rules on the signal's kind."""
        if signal.kind not in KINDS:
            self.book.explain(Said.UNKNOWN, signal.subject, f"{signal.kind!r} is no kind of signal we know")
            return
        sight = self._sight(of_its_monitor(signal))
        if sight is None:
            return
        self._mind_the_log(signal)
        if not self._attach(sight):
            self._apply(rules, sight)

    def _apply(self, rules: RuleSet, sight: _Sight) -> None:
        signal = sight.signal
        matched = [
            self._judge(rule, sight, answer)
            for rule in rules.by_kind.get(signal.kind, ())
            if rule.select is None or rule.select.chooses(self.facts, signal.subject)
            if (answer := rule.when.evaluate(sight.values)) is not False or self.runs
        ]
        if self.book.open:
            for rule, clear in rules.clearing_by_kind.get(signal.kind, ()):
                self._judge_clear(rule, clear, sight)
        if signal.is_event and not any(matched):
            what = signal.raw or signal.kind
            self.book.explain(Said.RECORDED, signal.subject, f"no rule makes a condition of: {what}")

    def _sight(self, signal: Signal) -> _Sight | None:
        """The signal with what is new in it; None when it must change nothing."""
        identity = signal.identity
        if identity is None:
            return _Sight(signal=signal, values=self._values(signal), more=0)
        if identity.boot_id != self.boot_id:
            self.book.explain(Said.OTHER_BOOT, signal.subject, f"{identity} is history")
            return None
        news = news_of(signal, identity.sequence, self.seen.get(identity.source, ()))
        if news is None:
            self.book.explain(Said.DUPLICATE, signal.subject, f"{identity} was taken in before")
            return None
        self.seen[identity.source] = news.memory
        if news.again and news.more:
            signal = replace(signal, at=self.book.now)
        return _Sight(signal=signal, values=self._values(signal), more=news.more)

    def _values(self, signal: Signal) -> dict[str, FieldValue]:
        pci = signal.subject.pci
        if pci not in self._beside:
            self._beside[pci] = self.facts.values_for(signal.subject)
        return {**self._beside[pci], **values_of(signal)}

    def _mind_the_log(self, signal: Signal) -> None:
        """Silence counts only while the log can be read: a gap, or a blind reader, starts it anew."""
        if signal.kind == "log_gap":
            self.book.break_silence(signal.at.mono)
        if signal.kind != "monitor" or signal.fields.get("name") != LOG_MONITOR:
            return
        if signal.fields.get("healthy") is False:
            self.blind.add(LOG_MONITOR)
        elif signal.fields.get("healthy") is True and LOG_MONITOR in self.blind:
            self.blind.discard(LOG_MONITOR)
            self.book.break_silence(signal.at.mono)

    def _attach(self, sight: _Sight) -> bool:
        """Give a line that names its cause to the open condition of that cause on the same GPU."""
        signal = sight.signal
        cause = signal.fields.get("caused_by")
        if cause is None:
            return False
        causes = [
            (-known.condition.severity.rank, key)
            for key, known in self.book.open.items()
            if cause in known.xids and _same_gpu(known, signal)
        ]
        if not causes:
            return False
        _, key = min(causes)
        known = self.book.open[key]
        self.book.keep(key, replace(known, condition=attached(known.condition, signal, more=sight.more)))
        self.book.explain(Said.ATTACHED, signal.subject, f"caused by Xid {cause}: evidence of {key}")
        return True

    def _judge(self, rule: Rule, sight: _Sight, answer: bool | None) -> bool:  # noqa: FBT001 - an answer
        """Whether the rule's expression holds; what follows from it is done. A no only ends a span."""
        signal = sight.signal
        if answer is None:
            self.book.explain(Said.UNKNOWN, signal.subject, f"cannot tell {rule.when.text}", rule)
        elif not answer:
            if rule.hold:
                self.runs.pop(_progress(rule, signal, signal.subject.key), None)
        elif not signal.is_event and signal.at.mono < rule.boot_grace:
            within = f"within {format_duration(rule.boot_grace)} of boot"
            self.book.explain(Said.IN_BOOT_GRACE, signal.subject, within, rule)
        else:
            self._matched(rule, sight)
        return answer is True

    def _matched(self, rule: Rule, sight: _Sight) -> None:
        signal = sight.signal
        subject = concerned(rule, signal.subject)
        key = f"{rule.condition.type}@{subject.key}"
        known = self.book.open.get(key)
        if known is not None and signal.synthetic and not known.condition.synthetic:
            self.book.explain(Said.RECORDED, subject, "injected: adds nothing to a real condition", rule)
            return
        if known is not None and known.condition.synthetic and not signal.synthetic:
            known = None
        if known is not None and known.condition.rule == rule.id:
            finding = Finding(rule=rule, subject=subject, signal=signal, since=signal.at)
            self.book.support(key, finding, repeated(known.condition, finding, more=sight.more))
            return
        since = self._since(rule, signal, subject.key)
        if since is None:
            return
        finding = Finding(rule=rule, subject=subject, signal=signal, since=since)
        if known is None:
            self.book.add(key, finding, self.boot_id)
        else:
            self.book.support(key, finding, supported(known.condition, finding, more=sight.more))

    def _since(self, rule: Rule, signal: Signal, part: str) -> Instant | None:
        """When the evidence began, once it is enough; None while it is not."""
        if rule.count is not None:
            return self._counted(rule, rule.count, signal, part)
        if not rule.hold or signal.is_event:
            return signal.at
        progress = _progress(rule, signal, signal.subject.key)
        run = extended(self.runs.pop(progress, None), signal.at, rule.hold)
        self.runs[progress] = run
        if proves(run, rule.hold):
            return run.since
        so_far = f"{run.readings} readings over {run.last - run.since.mono:.0f}s of {rule.hold:.0f}s"
        self.book.explain(Said.HOLDING, signal.subject, so_far, rule)
        return None

    def _counted(self, rule: Rule, count: Count, signal: Signal, part: str) -> Instant | None:
        value = signal.fields.get(count.distinct) if count.distinct else ""
        if value is None:
            self.book.explain(Said.UNKNOWN, signal.subject, f"{count.distinct} unknown: not counted", rule)
            return None
        hit = Hit(at=signal.at.mono, weight=signal.count, value=str(value), event=str(signal.identity or ""))
        progress = _progress(rule, signal, part)
        hits = counted(self.hits.pop(progress, ()), hit, count)
        self.hits[progress] = hits
        if suffices(hits, count):
            return signal.at
        self.book.explain(Said.COUNTING, signal.subject, f"{len(hits)} of {count.at_least}", rule)
        return None

    def _judge_clear(self, rule: Rule, clear: ClearWhen, sight: _Sight) -> None:
        """Apply a reading to the conditions of `rule` that it may end."""
        concerns = [key for key, known in self.book.open.items() if _may_clear(known, rule, sight.signal)]
        if not concerns:
            return
        answer = clear.when.evaluate(sight.values)
        if answer is None:
            self.book.explain(Said.UNKNOWN, sight.signal.subject, f"cannot tell {clear.when.text}", rule)
            return
        for key in concerns:
            self._towards_clear(key, clear, sight.signal, holds=answer)

    def _towards_clear(self, key: str, clear: ClearWhen, signal: Signal, *, holds: bool) -> None:
        known = self.book.open[key]
        moved = (_moved(raiser, signal, clear.hold, holds=holds) for raiser in known.raisers)
        ill = tuple(raiser for raiser in moved if raiser is not None)
        if ill:
            self.book.open[key] = replace(known, raisers=ill)
        else:
            span = f" for {format_duration(clear.hold)}" if clear.hold else ""
            self._clear(key, f"readings have shown {clear.when.text}{span}")

    def _clear(self, key: str, because: str) -> None:
        """Clear a condition with the progress that led to it, so that it takes new evidence to open again."""
        known = self.book.clear(key, because)
        rule = known.condition.rule
        parts = {known.condition.subject.key, *(raiser.subject.key for raiser in known.raisers)}
        for part in parts:
            for mark in ("", _SYNTHETIC):
                self.runs.pop(f"{rule}|{part}{mark}", None)
                self.hits.pop(f"{rule}|{part}{mark}", None)


_SYNTHETIC = "|synthetic"


def _newest(progress: dict[str, _T]) -> dict[str, _T]:
    """What was added last, as much of it as is kept."""
    return progress if len(progress) <= MOST_PROGRESS else dict(list(progress.items())[-MOST_PROGRESS:])


def of_its_monitor(signal: Signal) -> Signal:
    """Make each monitor a part of its own: all speak as the node, and one's sight is not another's."""
    if signal.kind != "monitor" or signal.subject != NODE:
        return signal
    name = signal.fields.get("name")
    if not isinstance(name, str):
        return signal
    return replace(signal, subject=Subject(scope=Scope.NODE, name=name))


def _progress(rule: Rule, signal: Signal, part: str) -> str:
    """Injected signals make progress of their own, so that they never help a real condition to open."""
    return f"{rule.id}|{part}{_SYNTHETIC if signal.synthetic else ''}"


def _rule_in(progress: str) -> RuleId:
    return RuleId(progress.partition("|")[0])


def _same_gpu(known: Open, signal: Signal) -> bool:
    gpu = signal.subject.gpu_key
    condition = known.condition
    return bool(gpu) and condition.subject.gpu_key == gpu and condition.synthetic == signal.synthetic


def _may_clear(known: Open, rule: Rule, signal: Signal) -> bool:
    """Whether a reading says something about this condition: later than the fault, and no less real."""
    if known.condition.rule != rule.id or signal.at.mono <= known.last_match:
        return False
    if signal.synthetic and not known.condition.synthetic:
        return False
    return any(raiser.is_covered_by(signal.subject) for raiser in known.raisers)


def _moved(raiser: Raiser, signal: Signal, hold: float, *, holds: bool) -> Raiser | None:
    """The raiser after a reading; None when it is well."""
    if not raiser.is_covered_by(signal.subject):
        return raiser
    if not holds:
        return replace(raiser, clearing=None)
    run = extended(raiser.clearing, signal.at, hold)
    return None if proves(run, hold) else replace(raiser, clearing=run)
