"""Files that hold a list of entries, each with an id: the form of rules, remedies and platforms alike.

A file may say which format it is written in: `{format: 1, entries: [...]}`. One that is a bare list is of the
first. A newer format than we know is refused, so that no older agent takes new words for slips of the pen.

A reading collects what is wrong and goes on, so that the problems of all files are told together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sickbay.core.field_reading import Entry
from sickbay.core.problems import Locator, Place, Problem, RefusedError, one_of
from sickbay.core.problems import Path as ValuePath
from sickbay.host.yaml_files import YamlDocument, read_yaml

FORMAT = 1
"""The newest format of files that this version reads; it rises when an older one could not read them."""

_WHOLE = ("format", "entries")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """The locator of one item of a file's list; `under` is the way to that list."""

    document: YamlDocument
    index: int
    under: ValuePath = ()

    def __call__(self, path: ValuePath, offset: int = 0, *, key: bool = False) -> Place:
        """See `sickbay.core.problems.Locator`."""
        return self.document.locate((*self.under, self.index, *path), offset, key=key)


@dataclass(slots=True, kw_only=True)
class EntryReading:
    """Reads entries; `files` are those that were read, `problems` what was wrong on the way."""

    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def files_of(self, layer: Path) -> Sequence[Path]:
        """The YAML files right inside a directory, sorted; or the one file that `layer` is.

        Names that begin with a dot are an editor's, while somebody writes.
        """
        try:
            if not layer.is_dir():
                return (layer,)
            return sorted(each for each in layer.iterdir() if _is_ours(each))
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
        under: ValuePath = ("entries",) if isinstance(document.value, dict) else ()
        found = self._of_format(document) if under else document.value
        if found is None:
            return ()
        if not isinstance(found, list):
            self._wrong(document.locate(under), "no list", "a list of entries, each with an id")
            return ()
        return [
            entry
            for index, value in enumerate(found)
            if (entry := self._entry(value, _Item(document=document, index=index, under=under))) is not None
        ]

    def _of_format(self, document: YamlDocument) -> object:
        """The entries of a file that says its format; None, with the problem told, for one we do not know."""
        said: Mapping[str, object] = document.value if isinstance(document.value, dict) else {}
        format_ = said.get("format")
        newest = f"format: {FORMAT}, the newest that this version of Sickbay reads"
        if format_ is None:
            expected = "a list of entries, each with an id, or {format: 1, entries: [...]}"
            self._wrong(document.locate(()), "no list", expected)
            return None
        if type(format_) is not int or not 1 <= format_ <= FORMAT:
            self._wrong(document.locate(("format",)), f"format: {format_!r}", newest)
            return None
        for key in said.keys() - set(_WHOLE):
            place = document.locate((key,), key=True)
            self._wrong(place, f"the unknown key {key!r}", one_of(_WHOLE, key))
        return said.get("entries")

    def _entry(self, value: object, locate: Locator) -> Entry | None:
        if isinstance(value, dict):
            return Entry(fields=value, locate=locate, layer=locate(()).file)
        self._wrong(locate(()), repr(value), "a mapping with an id")
        return None

    def _wrong(self, place: Place, found: str, expected: str) -> None:
        self.problems.append(Problem(place=place, found=found, expected=expected))


def _is_ours(path: Path) -> bool:
    return path.suffix in {".yaml", ".yml"} and not path.name.startswith(".")
