"""What a case expects, out of plain mappings. A name that nobody makes is a problem, for it hides a typo."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import TypeVar

from sickbay.core.conditions import Mode, Severity
from sickbay.core.devices import NODE, Subject
from sickbay.core.field_reading import FieldReader
from sickbay.core.ids import RuleId
from sickbay.core.problems import Place, Problem, one_of
from sickbay.core.rehearsal import CORDON, PROPOSAL
from sickbay.core.remedies import RungKind
from sickbay.core.rule_cases import SUBJECT_FORMS, Expectation, Wanted, WantedAction, subject_named
from sickbay.core.rules import RuleSet

EXPECTATION_KEYS = ("at", "open", "among", "not", "cleared", "proposals")
WANTED_KEYS = ("type", "of", "severity", "reason", "rule", "remedy", "mode")
ACTIONS = (CORDON, PROPOSAL, *(kind.value for kind in RungKind))
"""What a rehearsal may have done (core.rehearsal)."""

_A_TYPE, _AN_ACTION = "type of a condition", "thing that may be done"
_FEW = 20
_SAYING = frozenset(EXPECTATION_KEYS) - {"at"}
_E = TypeVar("_E", bound=Enum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What cases may name: the rules that they are run with, and the ids of platform profiles."""

    rules: RuleSet
    platforms: Collection[str]
    types: frozenset[str]

    @classmethod
    def of(cls, rules: RuleSet, platforms: Collection[str]) -> "Known":
        """With the types of all conditions that some rule makes."""
        types = frozenset(rule.condition.type for rule in rules.rules)
        return cls(rules=rules, platforms=platforms, types=types)


def known_name(reader: FieldReader, key: str, name: str, names: Collection[str], what: str) -> str:
    """The name under `key`, noted as a problem where it is none of `names`."""
    return _checked(reader, reader.locate((*reader.path, key)), name, names, what)


def _checked(reader: FieldReader, place: Place, name: str, names: Collection[str], what: str) -> str:
    """There may be hundreds of names, so of many only the nearest is told."""
    if name and name not in names:
        nearest = get_close_matches(name, names, n=1)
        expected = f"a {what} that is loaded" + (f" (did you mean {nearest[0]}?)" if nearest else "")
        if len(names) <= _FEW:
            expected = one_of(names, name)
        reader.problems.append(Problem(place=place, found=f"{name!r}", expected=expected))
    return name


def read_subject(reader: FieldReader, default: Subject) -> Subject:
    """The part under `of`, in the words that people use (rule_cases.SUBJECT_FORMS)."""
    text = reader.text("of", "")
    found = subject_named(text) if text else default
    if found is None:
        reader.wrong("of", SUBJECT_FORMS)
    return found or default


def parse_expectation(reader: FieldReader, known: Known) -> Expectation:
    """One moment, and what is to be so then."""
    reader.allow(EXPECTATION_KEYS)
    if not _SAYING & reader.fields.keys():
        reader.missing("expectation", "at least one of " + ", ".join(sorted(_SAYING)))
    return Expectation(
        at=reader.seconds("at"),
        place=reader.locate(reader.path),
        open=tuple(_wanted(reader, "open", known)) if reader.has("open") else None,
        among=tuple(_wanted(reader, "among", known)),
        absent=tuple(_types(reader, "not", known)),
        cleared=tuple(_types(reader, "cleared", known)),
        proposals=tuple(_actions(reader, known)) if reader.has("proposals") else None,
    )


def _wanted(reader: FieldReader, key: str, known: Known) -> Iterator[Wanted]:
    """Conditions, each by its type alone or as a mapping."""
    for item in _items(reader, key):
        if isinstance(item, FieldReader):
            yield _wanted_in(item, known)
        else:
            yield Wanted(type=_checked(reader, item.place, item.text, known.types, _A_TYPE))


def _wanted_in(reader: FieldReader, known: Known) -> Wanted:
    reader.allow(WANTED_KEYS)
    rule = reader.text("rule", "")
    return Wanted(
        type=known_name(reader, "type", reader.text("type"), known.types, _A_TYPE),
        subject=read_subject(reader, NODE) if reader.has("of") else None,
        severity=_choice(reader, "severity", Severity),
        reason=reader.text("reason", "") or None,
        rule=RuleId(known_name(reader, "rule", rule, known.rules.by_id, "rule")) if rule else None,
        remedy=reader.text("remedy", "") or None,
        mode=_choice(reader, "mode", Mode),
    )


def _types(reader: FieldReader, key: str, known: Known) -> Iterator[str]:
    for item in _items(reader, key):
        if isinstance(item, FieldReader):
            item.wrong("type", f"the {_A_TYPE} alone", found="a mapping")
        else:
            yield _checked(reader, item.place, item.text, known.types, _A_TYPE)


def _actions(reader: FieldReader, known: Known) -> Iterator[WantedAction]:
    for item in _items(reader, "proposals"):
        if isinstance(item, FieldReader):
            item.allow(("do", "rule"))
            rule = known_name(item, "rule", item.text("rule", ""), known.rules.by_id, "rule")
            yield WantedAction(what=known_name(item, "do", item.text("do"), ACTIONS, _AN_ACTION), rule=rule)
        else:
            yield WantedAction(what=_checked(reader, item.place, item.text, ACTIONS, _AN_ACTION))


def _choice(reader: FieldReader, key: str, words: type[_E]) -> _E | None:
    return reader.choice(key, words) if reader.has(key) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A text in a list, and where it stands."""

    text: str
    place: Place


def _items(reader: FieldReader, key: str) -> Iterator["FieldReader | _Text"]:
    """The entries of a list of texts and mappings; what is neither is a problem."""
    values = reader.fields.get(key)
    if values is None:
        return
    if not isinstance(values, Sequence) or isinstance(values, str):
        reader.wrong(key, "a list")
        return
    for index, value in enumerate(values):
        path = (*reader.path, key, index)
        if isinstance(value, Mapping):
            yield FieldReader(fields=value, locate=reader.locate, path=path, problems=reader.problems)
        elif isinstance(value, str) and value:
            yield _Text(text=value, place=reader.locate(path))
        else:
            problem = Problem(place=reader.locate(path), found=repr(value), expected="a text or a mapping")
            reader.problems.append(problem)
