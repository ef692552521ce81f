"""Rules and remedies from files: the built-in set, with a site's own laid over it.

A layer is a directory of `*.yaml` files, or one such file. `remedies.yaml` holds remedies, every other file
rules; directories inside a layer are for other things. A set with any problem is refused whole, so that
nothing ever runs on half a set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sickbay
from sickbay.core.field_reading import Entry
from sickbay.core.problems import Locator, Place, Problem, RefusedError
from sickbay.core.problems import Path as ValuePath
from sickbay.core.remedies import Remedy
from sickbay.core.remedy_parsing import parse_remedies
from sickbay.core.rule_layers import merge_layers
from sickbay.core.rule_parsing import parse_rules
from sickbay.core.rules import RuleSet
from sickbay.host.yaml_files import YamlDocument, read_yaml

REMEDIES = "remedies.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRules:
    """A checked set of rules with the remedies that they name, and the files that they came from."""

    rules: RuleSet
    remedies: Mapping[str, Remedy]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """The locator of one item of a file's list."""

    document: YamlDocument
    index: int

    def __call__(self, path: ValuePath, offset: int = 0, *, key: bool = False) -> Place:
        """See `sickbay.core.problems.Locator`."""
        return self.document.locate((self.index, *path), offset, key=key)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """The entries of one layer, apart for rules and remedies, and what was wrong on the way."""

    files: list[Path]
    problems: list[Problem]

    def entries(self, layer: Path) -> tuple[list[Entry], list[Entry]]:
        """Rules and remedies of a layer."""
        rules: list[Entry] = []
        remedies: list[Entry] = []
        for file in self._files_of(layer):
            self.files.append(file)
            (remedies if file.name == REMEDIES else rules).extend(self._items(file))
        return rules, remedies

    def _files_of(self, layer: Path) -> Sequence[Path]:
        try:
            if not layer.is_dir():
                return (layer,)
            return sorted(each for each in layer.iterdir() if each.suffix in {".yaml", ".yml"})
        except OSError as error:
            self._wrong(Place(file=str(layer)), str(error.strerror), "a directory that can be read")
            return ()

    def _items(self, file: Path) -> Sequence[Entry]:
        try:
            document = read_yaml(file)
        except RefusedError as refused:
            self.problems.extend(refused.problems)
            return ()
        if document.value is None:
            return ()
        if not isinstance(document.value, list):
            self._wrong(document.locate(()), "no list", "a list of entries, each with an id")
            return ()
        return [
            entry
            for index, value in enumerate(document.value)
            if (entry := self._entry(value, _Item(document=document, index=index))) is not None
        ]

    def _entry(self, value: object, locate: Locator) -> Entry | None:
        if isinstance(value, dict):
            return Entry(fields=value, locate=locate, layer=locate(()).file)
        self._wrong(locate(()), repr(value), "a mapping with an id")
        return None

    def _wrong(self, place: Place, found: str, expected: str) -> None:
        self.problems.append(Problem(place=place, found=found, expected=expected))


def builtin_rules_dir() -> Path:
    """The rules that come with this code: beside the package when installed, `rules/` in a source tree."""
    package = Path(sickbay.__file__).parent
    packaged = package / "builtin_rules"
    return packaged if packaged.is_dir() else package.parent.parent / "rules"


def load_rules(*sites: Path, builtin: Path | None = None) -> LoadedRules:
    """The built-in rules with each of `sites` laid over them in turn.

    Raises:
        RefusedError: with every problem of every file. The caller keeps the set that it has.
    """
    reading = _Reading(files=[], problems=[])
    layers = [reading.entries(layer) for layer in (builtin or builtin_rules_dir(), *sites)]
    merged_remedies, wrong_remedies = merge_layers([remedies for _, remedies in layers])
    merged_rules, wrong_rules = merge_layers([rules for rules, _ in layers])
    remedies, wrong_steps = parse_remedies(merged_remedies)
    rules, wrong_parts = parse_rules(merged_rules, remedies=remedies)
    problems = [*reading.problems, *wrong_remedies, *wrong_rules, *wrong_steps, *wrong_parts]
    if problems:
        raise RefusedError(sorted(problems, key=lambda each: (each.file, each.line, each.column)))
    return LoadedRules(rules=RuleSet.of(rules), remedies=remedies, files=tuple(reading.files))
