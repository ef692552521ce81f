"""Cases of rules out of plain mappings, with every problem told at once, each with its place in the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sickbay.core.devices import NODE, Subject, normalise_pci
from sickbay.core.expectation_parsing import Known, known_name, parse_expectation, read_subject
from sickbay.core.field_reading import Entry, FieldReader
from sickbay.core.ids import RuleId
from sickbay.core.instants import format_duration
from sickbay.core.problems import Problem, one_of
from sickbay.core.rule_cases import (
    USUAL_UPTIME,
    Boots,
    Case,
    Prints,
    Resets,
    Restarts,
    Says,
    Step,
)
from sickbay.core.signal_fields import Field, FieldType, FieldValue
from sickbay.core.signals import KINDS

CASE_KEYS = ("name", "rule", "node", "uptime", "of", "given", "expect")
NODE_KEYS = ("name", "pool", "driver", "platform")
STEP_KEYS = ("at", "ago", "kind", "of", "fields", "line", "boot", "restart", "reset", "repeat")
STEP_FORMS = ("kind", "line", "boot", "restart", "reset")

MOST_REPEATS = 10_000
"""How often one step may be repeated: a day and more of what is read each ten seconds."""

_EXACTLY = "exactly one of kind (a signal), line (of the kernel log), boot, restart and reset (of a GPU)"


def parse_cases(entries: Sequence[Entry], known: Known) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """The cases, and what is wrong with the entries. With any problem the cases are not to be run."""
    problems: list[Problem] = []
    cases: list[Case] = []
    for entry in entries:
        reader = FieldReader.of(entry)
        cases.append(parse_case(reader, known))
        problems += reader.problems
    return tuple(cases), tuple(problems)


def parse_case(reader: FieldReader, known: Known) -> Case:
    """One case; what is wrong with it is added to the reader's problems."""
    reader.allow(CASE_KEYS)
    node = reader.inner("node") or replace(reader, fields={})
    node.allow(NODE_KEYS)
    of = read_subject(reader, NODE)
    rules = (known_name(reader, "rule", name, known.rules.by_id, "rule") for name in reader.names("rule"))
    platform = node.text("platform", "")
    expectations = tuple(parse_expectation(each, known) for each in _all(reader, "expect"))
    ends = max((each.at for each in expectations), default=0.0)
    return Case(
        name=reader.text("name"),
        place=reader.locate(reader.path),
        rules=tuple(RuleId(name) for name in rules),
        node=node.text("name", "node-1"),
        pool=node.text("pool", ""),
        driver=node.text("driver", ""),
        platform=known_name(node, "platform", platform, known.platforms, "platform profile"),
        uptime=reader.seconds("uptime", USUAL_UPTIME),
        steps=tuple(step for each in _all(reader, "given") for step in _steps(each, of, ends)),
        expectations=expectations,
    )


def _all(reader: FieldReader, key: str) -> tuple[FieldReader, ...]:
    """The entries of a list that must have some."""
    if not reader.fields.get(key):
        reader.missing(key, "a list with at least one entry")
    return reader.inner_list(key)


def _steps(reader: FieldReader, of: Subject, ends: float) -> Iterator[Step]:
    """A step, as often as it is repeated. One that begins after the case `ends` would never be taken."""
    reader.allow(STEP_KEYS)
    first = _step(reader, reader.seconds("at"), of)
    if first is None:
        return
    if first.at > ends:
        reader.wrong("at", f"no later than the last expectation ({format_duration(ends)})")
    repeat = reader.inner("repeat")
    if repeat is None:
        yield first
        return
    repeat.allow(("every", "times"))
    every, times = repeat.seconds("every"), repeat.integer("times", least=2, most=MOST_REPEATS)
    yield from (replace(first, at=first.at + number * every) for number in range(times))


def _step(reader: FieldReader, at: float, of: Subject) -> Step | None:
    given = [key for key in STEP_FORMS if reader.has(key)]
    if not given:
        reader.missing("kind", _EXACTLY)
        return None
    if len(given) > 1:
        reader.wrong(given[1], _EXACTLY)
        return None
    ago = reader.seconds("ago", 0.0)
    match given[0]:
        case "kind":
            return _says(reader, at, ago, of)
        case "line":
            return Prints(at=at, text=reader.text("line"), ago=ago)
        case "reset":
            return Resets(at=at, pci=_pci(reader))
        case word:
            if reader.fields[word] is not True:
                reader.wrong(word, "true")
            return Boots(at=at) if word == "boot" else Restarts(at=at)


def _pci(reader: FieldReader) -> str:
    pci = normalise_pci(reader.text("reset"))
    if pci is None:
        reader.wrong("reset", "the PCI address of a GPU, such as 0000:1b:00")
    return pci or ""


def _says(reader: FieldReader, at: float, ago: float, of: Subject) -> Says | None:
    kind, subject = reader.text("kind"), read_subject(reader, of)
    if kind not in KINDS:
        reader.wrong("kind", one_of(KINDS, kind))
        return None
    fields = reader.inner("fields")
    values = _values(fields, KINDS[kind]) if fields is not None else {}
    return Says(at=at, kind=kind, subject=subject, fields=values, ago=ago)


def _values(reader: FieldReader, declared: Mapping[str, Field]) -> dict[str, FieldValue]:
    reader.allow(declared)
    return {
        name: _value(reader, name, declared[name], value)
        for name, value in reader.fields.items()
        if name in declared
    }


def _value(reader: FieldReader, name: str, field: Field, value: object) -> FieldValue:
    """A field's value; `null` is unknown, as it is where the source could not say."""
    if value is None:
        return None
    match field.type:
        case FieldType.BOOL if isinstance(value, bool):
            return value
        case FieldType.INT if isinstance(value, int) and not isinstance(value, bool):
            return value
        case FieldType.FLOAT if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case FieldType.TEXT if isinstance(value, str):
            return value
    reader.wrong(name, f"a {field.type.value} ({field.about}), or null for unknown")
    return None
