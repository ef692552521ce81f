"""Files that hold a list of entries, each with an id: the form of rules, remedies and platforms alike.

A reading collects what is wrong and goes on, so that the problems of all files are told together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sickbay.core.field_reading import Entry
from sickbay.core.problems import Locator, Place, Problem, RefusedError
from sickbay.core.problems import Path as ValuePath
from sickbay.host.yaml_files import YamlDocument, read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """The locator of one item of a file's list."""

    document: YamlDocument
    index: int

    def __call__(self, path: ValuePath, offset: int = 0, *, key: bool = False) -> Place:
        """See `sickbay.core.problems.Locator`."""
        return self.document.locate((self.index, *path), offset, key=key)


@dataclass(slots=True, kw_only=True)
class EntryReading:
    """Reads entries; `files` are those that were read, `problems` what was wrong on the way."""

    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def files_of(self, layer: Path) -> Sequence[Path]:
        """The YAML files right inside a directory, sorted; or the one file that `layer` is."""
        try:
            if not layer.is_dir():
                return (layer,)
            return sorted(each for each in layer.iterdir() if each.suffix in {".yaml", ".yml"})
        except OSError as error:
            self._wrong(Place(file=str(layer)), str(error.strerror), "a directory that can be read")
            return ()

    def entries(self, file: Path) -> Sequence[Entry]:
        """The entries of one file; an empty file has none."""
        self.files.append(file)
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
