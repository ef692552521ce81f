"""Files of cases of rules, in the folder `cases` of a layer of rules or wherever they are named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sickbay.core.case_parsing import parse_cases
from sickbay.core.expectation_parsing import Known
from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.core.problems import RefusedError
from sickbay.core.rule_cases import Case
from sickbay.core.rules import RuleSet
from sickbay.host.entry_files import EntryReading

CASES = "cases"
"""The folder's name inside a layer of rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCases:
    """Checked cases in the order of their files, and those files."""

    cases: tuple[Case, ...]
    files: tuple[Path, ...]


def profiles_by_id(platforms: Platforms) -> Mapping[str, PlatformProfile]:
    """Every profile by the name that cases give it."""
    return {profile.id: profile for profile in platforms.by_device.values()}


def cases_of_layers(layers: Sequence[Path]) -> tuple[Path, ...]:
    """The folders of cases that these layers have; a layer that is one file has none."""
    return tuple(folder for layer in layers if (folder := layer / CASES).is_dir())


def load_cases(paths: Sequence[Path], rules: RuleSet, platforms: Platforms) -> LoadedCases:
    """The cases in files, and in the files right inside folders.

    Raises:
        RefusedError: with every problem of every file, a rule or a type that does not exist among them.
    """
    reading = EntryReading()
    entries = [entry for path in paths for file in reading.files_of(path) for entry in reading.entries(file)]
    cases, wrong = parse_cases(entries, Known.of(rules, profiles_by_id(platforms)))
    problems = [*reading.problems, *wrong]
    if problems:
        raise RefusedError(sorted(problems, key=lambda each: (each.file, each.line, each.column)))
    return LoadedCases(cases=cases, files=tuple(reading.files))
