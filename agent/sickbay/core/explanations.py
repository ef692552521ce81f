"""Why something is so, in words and as plain data: a condition, an event, or a line of the kernel log.

An account names the evidence, the rule that made it matter and the file it stands in, what NVIDIA says of it,
how it clears, and what would be done. It is made from values alone, so the same question about a recorded
trace has the same answer anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sickbay.core import sxids
from sickbay.core.conditions import Condition, Mode
from sickbay.core.expressions import values_of
from sickbay.core.instants import format_duration
from sickbay.core.messages import Event
from sickbay.core.rules import Rule, RuleSet
from sickbay.core.signals import Signal
from sickbay.core.xid_words import InvestigatoryAction
from sickbay.core.xids import lookup

Plain = bool | int | float | str | None | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An answer to "why": `lines` for people, `data` for their programs. Times in `data` are Unix seconds."""

    title: str
    lines: tuple[str, ...]
    data: dict[str, Plain]

    @property
    def text(self) -> str:
        """The whole answer for people."""
        return "\n".join((self.title, *(f"  {line}" for line in self.lines)))


def explain_condition(condition: Condition, rules: RuleSet, now: float) -> Account:
    """Why a condition is, and what ends it."""
    rule = rules.by_id.get(condition.rule)
    age = format_duration(max(now - condition.since, 0.0))
    state = f"open for {age}" if condition.is_open else f"not open ({condition.status.value})"
    synthetic = "an injected fault, not a real one" if condition.synthetic else ""
    lines = (
        f"{condition.severity.value}, {state}: {condition.message}",
        synthetic,
        f"reason: {condition.reason}; seen {condition.occurrences} times",
        f"evidence: {', '.join(condition.evidence)}" if condition.evidence else "",
        f"caused by: {condition.caused_by}" if condition.caused_by else "",
        *_rule_lines(rule, f"rule {condition.rule} is not in force any more"),
        *_nvidia_lines(_code_of(condition.reason)),
        f"clears: {condition.clears}",
        f"what would be done: {_would_do(condition.remedy, condition.mode)}",
        f"runbook: {condition.runbook}" if condition.runbook else "",
    )
    data: dict[str, Plain] = {
        "kind": "condition",
        "key": condition.key,
        "type": condition.type,
        "subject": condition.subject.key,
        "status": condition.status.value,
        "severity": condition.severity.value,
        "reason": condition.reason,
        "message": condition.message,
        "since": condition.since,
        "evidence": list(condition.evidence),
        "synthetic": condition.synthetic,
        "clears": condition.clears,
        "remedy": condition.remedy,
        "runbook": condition.runbook,
        "rule": _rule_data(rule),
        "nvidia": _nvidia_data(_code_of(condition.reason)),
    }
    return _account(f"{condition.type} on {condition.subject.key}", lines, data)


def explain_event(event: Event, rules: RuleSet, now: float) -> Account:
    """What an entry of the history tells, and which rules it met."""
    if isinstance(event.what, Condition):
        account = explain_condition(event.what, rules, now)
    else:
        account = explain_signals((event.what,), rules)
    head = f"event {event.id} (number {event.sequence} of this node's history)"
    ago = f"{format_duration(max(now - event.at, 0.0))} ago, in boot {event.boot_id}"
    data: dict[str, Plain] = {"event": event.id, "sequence": event.sequence, "at": event.at}
    return Account(title=head, lines=(ago, account.title, *account.lines), data={**data, **account.data})


def explain_signals(signals: Sequence[Signal], rules: RuleSet) -> Account:
    """What was seen, and what the rules make of it. `signals` are of one happening; at least one."""
    first = signals[0]
    lines: list[str] = []
    matched: list[Plain] = []
    for signal in signals:
        lines.append(_said(signal))
        found = [rule for rule in rules.by_kind.get(signal.kind, ()) if _holds(rule, signal)]
        for rule in found:
            lines.extend(_rule_lines(rule, ""))
            lines.extend(_proof_lines(rule))
            lines.append(f"it would make: {rule.condition.type}, {rule.condition.severity.value}")
            lines.append(f"what would be done: {_would_do(rule.remedy, rule.mode)}")
        matched.extend(_rule_data(rule) for rule in found)
        if not found:
            lines.append("no rule makes a condition of it: it is kept as history and acts on nothing")
        lines.extend(_nvidia_lines(_code(signal)))
        lines.extend(_switch_lines(signal))
        lines.extend(_decoded_lines(signal))
    data: dict[str, Plain] = {
        "kind": first.kind,
        "subject": first.subject.key,
        "fields": dict(first.fields),
        "raw": first.raw,
        "sources": list(first.sources),
        "count": first.count,
        "synthetic": first.synthetic,
        "rules": matched,
        "nvidia": _nvidia_data(_code(first)),
    }
    return _account(f"{first.kind} on {first.subject.key}", lines, data)


def explain_nothing(line: str) -> Account:
    """A line of the kernel log that says nothing to any monitor."""
    return _account(
        "a line that no monitor understands",
        (line, "it is passed over: no signal, no condition, no event"),
        {"kind": "none", "raw": line},
    )


def _account(title: str, lines: Sequence[str], data: dict[str, Plain]) -> Account:
    return Account(title=title, lines=tuple(line for line in lines if line), data=data)


def _holds(rule: Rule, signal: Signal) -> bool:
    return rule.when.evaluate(values_of(signal)) is True


def _said(signal: Signal) -> str:
    known = ", ".join(f"{name}={value}" for name, value in signal.fields.items() if value is not None)
    counted = f", {signal.count} times" if signal.count > 1 else ""
    return f"{signal.raw or known}{counted} (seen by {', '.join(signal.sources) or 'a monitor'})"


def _rule_lines(rule: Rule | None, otherwise: str) -> tuple[str, ...]:
    if rule is None:
        return (otherwise,) if otherwise else ()
    return (
        f"rule: {rule.id} ({rule.layer}:{rule.line})",
        f"it says: when {rule.when.text}; because {rule.because}",
        *((f"only for {rule.select}",) if rule.select else ()),
    )


def _proof_lines(rule: Rule) -> tuple[str, ...]:
    """What more the rule asks for before one observation counts."""
    if rule.count is not None:
        distinct = f" different values of {rule.count.distinct}" if rule.count.distinct else " of them"
        within = format_duration(rule.count.within)
        return (f"it takes {rule.count.at_least}{distinct} within {within}",)
    return (f"it must hold for {format_duration(rule.hold)}",) if rule.hold else ()


def _would_do(remedy: str, mode: Mode) -> str:
    if not remedy or remedy == "none":
        return "nothing but show it"
    words = {
        Mode.OBSERVE: "the rule only observes",
        Mode.PROPOSE: "proposed to a person",
        Mode.ACT: "if the cluster's mode and every gate let it",
    }
    return f"{remedy}, {words[mode]}"


def _rule_data(rule: Rule | None) -> Plain:
    if rule is None:
        return None
    return {
        "id": rule.id,
        "file": rule.layer,
        "line": rule.line,
        "when": rule.when.text,
        "because": rule.because,
        "mode": rule.mode.value,
        "remedy": rule.remedy,
        "clears": str(rule.clear),
        "runbook": rule.runbook,
        "select": str(rule.select) if rule.select else None,
    }


def _code(signal: Signal) -> int | None:
    code = signal.fields.get("code") if signal.kind == "xid" else None
    return code if isinstance(code, int) else None


def _code_of(reason: str) -> int | None:
    """The code in a reason such as `Xid79`."""
    digits = reason.removeprefix("Xid")
    return int(digits) if digits != reason and digits.isdecimal() else None


def _nvidia_lines(code: int | None) -> tuple[str, ...]:
    if code is None:
        return ()
    xid = lookup(code)
    listed = f"NVIDIA: Xid {code}, {xid.name}: class {xid.klass.value}, immediate action {xid.action.value}"
    if xid.investigate is not InvestigatoryAction.UNKNOWN:
        listed += f", to investigate {xid.investigate.value}"
    return (listed, xid.because, f"source: {xid.source}" if xid.source else "")


def _switch_lines(signal: Signal) -> tuple[str, ...]:
    """What NVIDIA's guide says of an error of an NVSwitch."""
    code = signal.fields.get("code") if signal.kind == "sxid" else None
    if not isinstance(code, int):
        return ()
    sxid = sxids.lookup(code)
    action = sxid.action_when(str(signal.fields.get("severity") or ""))
    return (f"NVIDIA: SXid {code}, {sxid.name}: {sxid.grade.value}, immediate action {action.value}",)


def _decoded_lines(signal: Signal) -> tuple[str, ...]:
    """What the line itself comes to, beyond what is so of every line with its code."""
    code, fields = _code(signal), signal.fields
    if code is None:
        return ()
    here = fields.get("action")
    return (
        f"what the registers say: {fields['findings']}" if fields.get("findings") else "",
        f"what NVIDIA's workflow comes to: {fields['advised']}" if fields.get("advised") else "",
        f"what this line asks for: {here}" if here and here != lookup(code).action.value else "",
    )


def _nvidia_data(code: int | None) -> Plain:
    if code is None:
        return None
    xid = lookup(code)
    return {
        "xid": code,
        "name": xid.name,
        "class": xid.klass.value,
        "action": xid.action.value,
        "investigate": xid.investigate.value,
        "source": xid.source,
    }
