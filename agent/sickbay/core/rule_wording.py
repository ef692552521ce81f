"""Conditions made of a rule and its evidence: their words, their times, and what later evidence adds."""

from dataclasses import dataclass, replace

from sickbay.core.conditions import Condition, Status
from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.rules import Rule
from sickbay.core.signals import KINDS, FieldValue, Signal

MOST_EVIDENCE = 16
"""Pieces of evidence kept on a condition: the first, and the latest."""

LONGEST_MESSAGE = 1000
"""Characters of a condition's message; a kernel line is at most about as long (LOG_LINE_MAX, printk.c)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that found its fault: on which part, by which signal, since when there is evidence."""

    rule: Rule
    subject: Subject
    signal: Signal
    since: Instant


def concerned(rule: Rule, subject: Subject) -> Subject:
    """The part that the rule's condition speaks of, for a signal about `subject`.

    A condition on GPUs collapses links to their GPU; one on the node collapses everything, but keeps apart
    what already speaks of the node under a name. A part that names no GPU stays as it is.
    """
    if rule.condition.scope is Scope.NODE:
        return subject if subject.scope is Scope.NODE else NODE
    if rule.condition.scope is Scope.GPU and subject.scope is not Scope.GPU and subject.gpu_key:
        return Subject(scope=Scope.GPU, gpu_uuid=subject.gpu_uuid, pci=subject.pci)
    return subject


def condition_of(finding: Finding, *, now: Instant, boot_id: BootId) -> Condition:
    """A new condition. `t0` and `since` are when its evidence began, `t1` is now."""
    rule, signal = finding.rule, finding.signal
    cause = signal.fields.get("caused_by")
    return Condition(
        type=rule.condition.type,
        subject=finding.subject,
        status=Status.TRUE,
        severity=rule.condition.severity,
        rule=rule.id,
        reason=reason_of(rule, signal),
        message=message_of(rule, signal),
        since=finding.since.wall,
        observed_at=signal.at.wall,
        boot_id=boot_id,
        remedy=rule.remedy,
        mode=rule.mode,
        family=rule.condition.family or rule.condition.type,
        runbook=rule.runbook,
        clears=str(rule.clear),
        evidence=(evidence_of(rule, signal),),
        occurrences=signal.count,
        caused_by="" if cause is None else f"Xid {cause}",
        synthetic=signal.synthetic,
        t0=finding.since.wall,
        t1=now.wall,
    )


def repeated(condition: Condition, finding: Finding, *, more: int) -> Condition:
    """The condition with another match of its own rule. A reading that says the same moves only the time."""
    rule, signal = finding.rule, finding.signal
    moved = replace(_seen_again(condition, signal), subject=_named(condition.subject, finding.subject))
    if not signal.is_event and condition.reason == reason_of(rule, signal):
        return moved
    return replace(
        with_evidence(moved, evidence_of(rule, signal), more=more),
        reason=reason_of(rule, signal),
        message=message_of(rule, signal),
    )


def supported(condition: Condition, finding: Finding, *, more: int) -> Condition:
    """The condition with a match of another rule that makes the same one; the graver rule speaks for it."""
    moved = with_evidence(
        _seen_again(condition, finding.signal), evidence_of(finding.rule, finding.signal), more=more
    )
    if finding.rule.condition.severity.rank <= condition.severity.rank:
        return moved
    graver = replace(
        moved,
        reason=reason_of(finding.rule, finding.signal),
        message=message_of(finding.rule, finding.signal),
    )
    return restated(graver, finding.rule)


def attached(condition: Condition, signal: Signal, *, more: int) -> Condition:
    """The condition with a line that names its fault as the cause."""
    return with_evidence(_seen_again(condition, signal), str(signal.identity or signal.kind), more=more)


def restated(condition: Condition, rule: Rule) -> Condition:
    """The condition with what does not depend on evidence as the rule says it now."""
    return replace(
        condition,
        rule=rule.id,
        severity=rule.condition.severity,
        remedy=rule.remedy,
        mode=rule.mode,
        family=rule.condition.family or rule.condition.type,
        runbook=rule.runbook,
        clears=str(rule.clear),
    )


def is_news(before: Condition, after: Condition) -> bool:
    """Whether a person or the coordinator must hear of it; the rest is the same fault, seen again."""
    return _told(before) != _told(after)


def reason_of(rule: Rule, signal: Signal) -> str:
    """The rule's reason with its `{field}`s filled in; a field that is unknown says so."""
    template = rule.condition.reason
    if "{" not in template:
        return template
    return template.format_map({name: _shown(value) for name, value in _every_field(rule, signal).items()})


def message_of(rule: Rule, signal: Signal) -> str:
    """Why it matters, then the raw line with what its registers say, or the reading."""
    decoded = f" [{signal.fields['findings']}]" if signal.fields.get("findings") else ""
    return f"{rule.because}: {signal.raw or reading_of(rule, signal)}{decoded}"[:LONGEST_MESSAGE]


def evidence_of(rule: Rule, signal: Signal) -> str:
    """The event's identity, or what was read."""
    return str(signal.identity) if signal.identity else f"{signal.kind}: {reading_of(rule, signal)}"


def reading_of(rule: Rule, signal: Signal) -> str:
    """What the rule looked at, then what the reading says in words: `unresponsive=true, call=nvmlInit`."""
    looked = [name.removeprefix("signal.") for name in rule.when.names if name.startswith("signal.")]
    words = [name for name, value in signal.fields.items() if value and isinstance(value, str)]
    names = [name for name in dict.fromkeys((*looked, *words)) if name in signal.fields]
    return ", ".join(f"{name}={_shown(signal.fields[name])}" for name in names) or signal.kind


def with_evidence(condition: Condition, piece: str, *, more: int) -> Condition:
    """One more piece of evidence, unless it is known; the first is kept, then the latest."""
    occurrences = condition.occurrences + more
    if piece in condition.evidence:
        return replace(condition, occurrences=occurrences)
    first, *rest = (*condition.evidence, piece)
    return replace(condition, evidence=(first, *rest[-(MOST_EVIDENCE - 1) :]), occurrences=occurrences)


def _seen_again(condition: Condition, signal: Signal) -> Condition:
    return replace(condition, observed_at=max(condition.observed_at, signal.at.wall))


def _named(known: Subject, again: Subject) -> Subject:
    """A part known by its slot alone, with the UUID that a later signal has for it."""
    return again if again.gpu_uuid and not known.gpu_uuid and again.key == known.key else known


def _told(condition: Condition) -> tuple[object, ...]:
    return (
        condition.status,
        condition.severity,
        condition.reason,
        condition.rule,
        condition.remedy,
        condition.mode,
        condition.synthetic,
    )


def _every_field(rule: Rule, signal: Signal) -> dict[str, FieldValue]:
    return {name: signal.fields.get(name) for name in KINDS[rule.on]}


def _shown(value: FieldValue) -> str:
    if value is None:
        return "unknown"
    return str(value).lower() if isinstance(value, bool) else str(value)
