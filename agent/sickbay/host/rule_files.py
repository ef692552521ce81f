"""Rules and remedies from files: the built-in set, with a site's own laid over it.

A layer is a directory of `*.yaml` files, or one such file. `remedies.yaml` holds remedies, every other file
rules; directories inside a layer are for other things. A set with any problem is refused whole, so that
nothing ever runs on half a set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sickbay
from sickbay.core.field_reading import Entry
from sickbay.core.problems import Problem, RefusedError
from sickbay.core.remedies import Remedy
from sickbay.core.remedy_parsing import parse_remedies
from sickbay.core.rule_layers import merge_layers
from sickbay.core.rule_parsing import parse_rules
from sickbay.core.rules import RuleSet
from sickbay.host.entry_files import EntryReading

REMEDIES = "remedies.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRules:
    """A checked set of rules with the remedies that they name, and the files that they came from."""

    rules: RuleSet
    remedies: Mapping[str, Remedy]
    files: tuple[Path, ...]


def builtin_rules_dir() -> Path:
    """The rules that come with this code: beside the package when installed, `rules/` in a source tree."""
    package = Path(sickbay.__file__).parent
    packaged = package / "builtin_rules"
    return packaged if packaged.is_dir() else package.parent.parent / "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRules:
    """What the layers say together, not yet checked: each field knows the place that gave it."""

    rules: tuple[Entry, ...]
    remedies: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    files: tuple[Path, ...]


def merge_rules(*sites: Path, builtin: Path | None = None) -> MergedRules:
    """The built-in rules with each of `sites` laid over them in turn. Never raises: see `problems`."""
    reading = EntryReading()
    layers = [_entries(reading, layer) for layer in (builtin or builtin_rules_dir(), *sites)]
    remedies, wrong_remedies = merge_layers([remedies for _, remedies in layers])
    rules, wrong_rules = merge_layers([rules for rules, _ in layers])
    return MergedRules(
        rules=rules,
        remedies=remedies,
        problems=(*reading.problems, *wrong_remedies, *wrong_rules),
        files=tuple(reading.files),
    )


def checked(merged: MergedRules) -> LoadedRules:
    """The rules that the layers make.

    Raises:
        RefusedError: with every problem of every file. The caller keeps the set that it has.
    """
    remedies, wrong_steps = parse_remedies(merged.remedies)
    rules, wrong_parts = parse_rules(merged.rules, remedies=remedies)
    problems = [*merged.problems, *wrong_steps, *wrong_parts]
    if problems:
        raise RefusedError(sorted(problems, key=lambda each: (each.file, each.line, each.column)))
    return LoadedRules(rules=RuleSet.of(rules), remedies=remedies, files=merged.files)


def load_rules(*sites: Path, builtin: Path | None = None) -> LoadedRules:
    """The built-in rules with each of `sites` laid over them in turn, checked; raises as `checked` does."""
    return checked(merge_rules(*sites, builtin=builtin))


def _entries(reading: EntryReading, layer: Path) -> tuple[list[Entry], list[Entry]]:
    """Rules and remedies of a layer."""
    rules: list[Entry] = []
    remedies: list[Entry] = []
    for file in reading.files_of(layer):
        (remedies if file.name == REMEDIES else rules).extend(reading.entries(file))
    return rules, remedies
