"""Rules out of plain mappings, with every problem told at once, each with its place in the file."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from string import Formatter
from types import MappingProxyType

from sickbay.core.conditions import Mode, Severity
from sickbay.core.devices import Scope
from sickbay.core.expression_bounds import Mistake
from sickbay.core.expressions import UNDECLARED, Expression, compile_expression, variables_of
from sickbay.core.field_reading import Entry, FieldReader
from sickbay.core.ids import RuleId
from sickbay.core.problems import Problem, one_of
from sickbay.core.remedies import NO_REMEDY
from sickbay.core.rules import (
    After,
    Clear,
    ClearAfter,
    ClearQuiet,
    ClearWhen,
    ConditionSpec,
    Count,
    Rule,
)
from sickbay.core.selectors import Selector
from sickbay.core.signals import EVENT_KINDS, KINDS
from sickbay.core.versions import VersionRange

RULE_KEYS = (
    "id",
    "on",
    "when",
    "for",
    "count",
    "boot_grace",
    "condition",
    "clear",
    "remedy",
    "mode",
    "because",
    "runbook",
    "labels",
    "select",
)
"""Every key that a rule may have, beside `disable`, which the layers take out."""

_SPINE = frozenset({"on", "when", "condition", "clear"})
"""What every rule has. An entry with none of these only changes another."""

_CLEAR_FORMS = "exactly one of {when: CEL, on: kind, for: span}, {after: reboot | gpu_reset}, {quiet: span}"

MOST_COUNTED = 1000
"""The largest `at_least`: the engine remembers that many matches a rule and part, and no more."""


_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TYPE = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")


def parse_rules(
    entries: Sequence[Entry],
    *,
    remedies: Collection[str],
) -> tuple[tuple[Rule, ...], tuple[Problem, ...]]:
    """The rules, and what is wrong with the entries. With any problem the rules are not to be used."""
    strays = [entry for entry in entries if not entry.fields.keys() & _SPINE]
    entries = [entry for entry in entries if entry.fields.keys() & _SPINE]
    readers = [FieldReader.of(entry) for entry in entries]
    parsed = [
        (reader, rule)
        for reader, entry in zip(readers, entries, strict=True)
        if (rule := _rule(reader, entry, remedies)) is not None
    ]
    _note_repeated_ids(parsed)
    _note_diverging_clears(parsed)
    problems = [problem for reader in readers for problem in reader.problems]
    names = {str(entry.fields.get("id")) for entry in entries}
    return tuple(rule for _, rule in parsed), (*problems, *(_stray(entry, names) for entry in strays))


def _stray(entry: Entry, names: Collection[str]) -> Problem:
    """It says a thing or two of a rule that is nowhere written out: most often a slip in the id."""
    name = str(entry.fields.get("id"))
    nearest = get_close_matches(name, names, n=1)
    meant = f" (did you mean {nearest[0]}?)" if nearest else ""
    found = f"a change of the rule {name!r}, which no lower layer has"
    expected = f"the id of a rule{meant}, or a whole rule with on, when, condition, clear and because"
    return Problem(place=entry.locate(("id",)), found=found, expected=expected)


def _rule(reader: FieldReader, entry: Entry, remedies: Collection[str]) -> Rule | None:
    reader.allow(RULE_KEYS)
    identity = _matching(reader, "id", _ID, "an id of lower-case letters, digits and dashes")
    kind = _kind(reader, "on")
    when = _expression(reader, "when", kind)
    condition = _condition(reader, kind)
    clear = _clear(reader, kind)
    parts = _pattern(reader, kind)
    remedy = _remedy(reader, remedies)
    mode = reader.choice("mode", Mode, Mode.OBSERVE)
    because, runbook = reader.text("because"), reader.text("runbook", "")
    labels = reader.texts("labels")
    select = _select(reader)
    if kind is None or when is None or condition is None or clear is None:
        return None
    return Rule(
        id=RuleId(identity),
        on=kind,
        when=when,
        condition=condition,
        clear=clear,
        hold=parts.hold,
        count=parts.count,
        boot_grace=parts.boot_grace,
        remedy=remedy,
        mode=mode,
        because=because,
        runbook=runbook,
        labels=labels,
        select=select,
        layer=entry.layer,
        line=entry.locate(()).line,
    )


def _kind(reader: FieldReader, key: str) -> str | None:
    kind = reader.text(key)
    if kind in KINDS:
        return kind
    if kind:
        reader.wrong(key, one_of(KINDS, kind), found=f"the unknown signal kind {kind!r}")
    return None


def _matching(reader: FieldReader, key: str, form: re.Pattern[str], expected: str) -> str:
    text = reader.text(key)
    if text and form.fullmatch(text) is None:
        reader.wrong(key, expected)
    return text


def _expression(reader: FieldReader, key: str, kind: str | None) -> Expression | None:
    text = reader.text(key)
    if not text or kind is None:
        return None
    compiled = compile_expression(kind, text)
    if isinstance(compiled, Expression):
        return compiled
    for mistake in compiled:
        reader.wrong(key, _right(mistake, kind), found=mistake.message, offset=mistake.offset)
    return None


def _right(mistake: Mistake, kind: str) -> str:
    if mistake.expected:
        return mistake.expected
    undeclared = UNDECLARED.search(mistake.message)
    if undeclared is None:
        return "a CEL expression that is true or false"
    return one_of(variables_of(kind), undeclared[1])


def _condition(reader: FieldReader, kind: str | None) -> ConditionSpec | None:
    inner = reader.inner("condition", required=True)
    if inner is None:
        return None
    inner.allow(("type", "severity", "scope", "reason", "family"))
    type_ = _matching(inner, "type", _TYPE, "a name in CamelCase, as Kubernetes writes condition types")
    spec = ConditionSpec(
        type=type_,
        severity=inner.choice("severity", Severity),
        scope=inner.choice("scope", Scope),
        reason=inner.text("reason", type_),
        family=inner.text("family", ""),
    )
    if kind is not None:
        _check_template(inner, kind, spec.reason)
    return spec


def _check_template(reader: FieldReader, kind: str, template: str) -> None:
    """A reason may say `{field}` and no more: no formats, no attributes, no indices."""
    if "{" not in template and "}" not in template:
        return
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        reader.wrong("reason", "braces around field names only", found=f"{template!r}: {error}")
        return
    for _, name, form, conversion in parts:
        if name is not None and (name not in KINDS[kind] or form or conversion):
            reader.wrong("reason", one_of(KINDS[kind], name), found=f"{{{name}}} in {template!r}")


def _clear(reader: FieldReader, kind: str | None) -> Clear | None:
    inner = reader.inner("clear")
    if inner is None:
        if not reader.has("clear"):
            reader.missing("clear", f"how the condition clears: {_CLEAR_FORMS}")
        return None
    forms = [key for key in ("when", "after", "quiet") if inner.has(key)]
    if len(forms) != 1:
        found = f"clear with {' and '.join(forms)}" if forms else "clear without when, after or quiet"
        reader.wrong("clear", _CLEAR_FORMS, found=found)
        return None
    return _CLEAR_READERS[forms[0]](inner, kind)


def _clear_when(reader: FieldReader, kind: str | None) -> Clear | None:
    reader.allow(("when", "on", "for"))
    on = _kind(reader, "on") if reader.has("on") else kind
    if on in EVENT_KINDS:
        expected = (
            f"readings that can say that it has ended (on: {one_of(KINDS.keys() - EVENT_KINDS)}), or quiet"
        )
        reader.wrong("when", expected, found=f"clear.when on {on} events")
        return None
    expression = _expression(reader, "when", on)
    if expression is None or on is None:
        return None
    return ClearWhen(when=expression, on=on, hold=reader.seconds("for", 0.0))


def _clear_after(reader: FieldReader, _kind_of_rule: str | None) -> Clear:
    reader.allow(("after",))
    return ClearAfter(repair=reader.choice("after", After))


def _clear_quiet(reader: FieldReader, kind: str | None) -> Clear:
    reader.allow(("quiet",))
    quiet = reader.seconds("quiet")
    if kind is not None and kind not in EVENT_KINDS:
        expected = f"when, since {kind} also says when nothing is wrong, so that silence proves nothing"
        reader.wrong("quiet", expected)
    if reader.has("quiet") and quiet <= 0.0:
        reader.wrong("quiet", "a span longer than nothing")
    return ClearQuiet(quiet=quiet)


_CLEAR_READERS: Mapping[str, Callable[[FieldReader, str | None], Clear | None]] = MappingProxyType(
    {"when": _clear_when, "after": _clear_after, "quiet": _clear_quiet},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """What it takes beyond one match."""

    hold: float
    count: Count | None
    boot_grace: float


def _pattern(reader: FieldReader, kind: str | None) -> _Pattern:
    if reader.has("for") and reader.has("count"):
        reader.wrong("count", "one of for and count", found="both for and count")
    for key in ("for", "boot_grace"):
        if kind in EVENT_KINDS and reader.has(key):
            reader.wrong(key, f"no {key} on {kind}, which reports what happened once and holds for no time")
    return _Pattern(
        hold=reader.seconds("for", 0.0),
        count=_count(reader, kind),
        boot_grace=reader.seconds("boot_grace", 0.0),
    )


def _count(reader: FieldReader, kind: str | None) -> Count | None:
    inner = reader.inner("count")
    if inner is None:
        return None
    inner.allow(("at_least", "within", "distinct"))
    distinct = inner.text("distinct", "")
    if distinct and kind is not None and distinct not in KINDS[kind]:
        inner.wrong("distinct", one_of(KINDS[kind], distinct))
    return Count(
        at_least=inner.integer("at_least", least=2, most=MOST_COUNTED),
        within=inner.seconds("within"),
        distinct=distinct,
    )


def _remedy(reader: FieldReader, remedies: Collection[str]) -> str:
    remedy = reader.text("remedy", NO_REMEDY.id)
    if remedy and remedy not in remedies:
        reader.wrong("remedy", one_of(remedies, remedy), found=f"the unknown remedy {remedy!r}")
    return remedy


def _select(reader: FieldReader) -> Selector | None:
    inner = reader.inner("select")
    if inner is None:
        return None
    inner.allow(("platform", "driver", "pool", "node"))
    selector = Selector(
        platform=inner.names("platform"),
        driver=_versions(inner, "driver"),
        pool=inner.names("pool"),
        node=inner.names("node"),
    )
    if selector == Selector():
        reader.wrong(
            "select", "at least one of platform, driver, pool, node", found="a select that selects all"
        )
    return selector


def _versions(reader: FieldReader, key: str) -> VersionRange | None:
    text = reader.text(key, "")
    if not text:
        return None
    try:
        return VersionRange.parse(text)
    except ValueError as error:
        reader.wrong(key, "bounds such as '>=550.54, <575'", found=str(error))
        return None


def _note_repeated_ids(parsed: Sequence[tuple[FieldReader, Rule]]) -> None:
    first: dict[RuleId, Rule] = {}
    for reader, rule in parsed:
        known = first.setdefault(rule.id, rule)
        if known is not rule:
            found = f"a second rule {rule.id!r}; the first is at {known.layer}:{known.line}"
            reader.wrong("id", "an id of its own", found=found)


def _note_diverging_clears(parsed: Sequence[tuple[FieldReader, Rule]]) -> None:
    """Rules may share a condition, but not differ on what ends it: the milder would end the graver's."""
    first: dict[str, Rule] = {}
    for reader, rule in parsed:
        known = first.setdefault(rule.condition.type, rule)
        if known.clear != rule.clear or known.condition.scope is not rule.condition.scope:
            expected = (
                f"the clear and scope of rule {known.id!r}, which makes the same {known.condition.type}"
            )
            reader.wrong("clear", expected, found=f"{rule.condition.type} that clears {rule.clear}")
