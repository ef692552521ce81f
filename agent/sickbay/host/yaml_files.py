"""YAML files, read with the position of every value, so that an error can name file, line and column.

The dialect is narrow on purpose: YAML 1.2's words for yes and no (`true`, `false`), so that the rules' `on:`
stays a word; one document a file; keys are texts and stand once; no anchors, which would let a few lines
unfold into gigabytes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

import yaml

from sickbay.core.problems import Path, Place, Problem, RefusedError

MOST_BYTES = 1 << 20
"""Larger files are refused: nobody writes one by hand, and reading one would stall the start."""

DEEPEST = 50
"""How deep values may lie inside each other; libyaml's composer recurses and would end the process."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc] # the C loader where PyYAML was built with it
    """Resolves plain scalars by YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own form


for _tag, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(f"^(?:{_form})$"),
        [*_first.replace("\0", ""), *([""] if "\0" in _first else [])],
    )


_CORE = "tag:yaml.org,2002:"
_SCALARS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        f"{_CORE}null": lambda _: None,
        f"{_CORE}bool": lambda text: text.lower() == "true",
        f"{_CORE}int": lambda text: int(text, 0),
        f"{_CORE}float": float,
        f"{_CORE}str": str,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where a node stands: line and column from 0, and the text's start for scalars."""

    line: int
    column: int
    style: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """One file's content as plain values, and where each of them stands."""

    file: str
    value: object
    _lines: tuple[str, ...]
    _values: Mapping[Path, _Spot]
    _keys: Mapping[Path, _Spot]

    def locate(self, path: Path, offset: int = 0, *, key: bool = False) -> Place:
        """See `sickbay.core.problems.Locator`."""
        known = self._keys if key else self._values
        while path and path not in known:
            path, known, offset = path[:-1], self._values, 0
        spot = known.get(path)
        if spot is None:
            return Place(file=self.file)
        line, column = (
            _inside(spot, self._lines, offset) if spot.text is not None else (spot.line, spot.column)
        )
        return Place(file=self.file, line=line + 1, column=column + 1)


def read_yaml(path: FilePath) -> YamlDocument:
    """Read one file.

    Raises:
        RefusedError: when it cannot be read, is no YAML, or says something twice; with all that is wrong.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _refused(Place(file=str(path)), f"{error.strerror}", "a file that can be read") from error
    if len(raw) > MOST_BYTES:
        raise _refused(Place(file=str(path)), "a larger file", f"at most {MOST_BYTES} bytes")
    try:
        return parse_yaml(raw.decode(), file=str(path))
    except UnicodeDecodeError as error:
        place = Place(file=str(path), line=raw.count(b"\n", 0, error.start) + 1, column=1)
        raise _refused(place, f"the byte {raw[error.start]:#04x}", "UTF-8") from error


def parse_yaml(text: str, *, file: str) -> YamlDocument:
    """The same for a text at hand; `file` is the name that errors give it."""
    try:
        _check_depth(text, file)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _refused(_place(file, error), str(error.problem), "YAML, one document") from error
    except yaml.YAMLError as error:
        raise _refused(Place(file=file), str(error), "YAML") from error
    walk = _Walk(file=file)
    value = walk.value(root, ()) if root is not None else None
    if walk.problems:
        raise RefusedError(walk.problems)
    return YamlDocument(
        file=file,
        value=value,
        _lines=tuple(text.splitlines(keepends=True)),
        _values=MappingProxyType(walk.values),
        _keys=MappingProxyType(walk.keys),
    )


def _check_depth(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _refused(
                _at(file, event.start_mark), "a value deeper inside others", f"at most {DEEPEST} levels"
            )


class _Walk:
    """Builds plain values from nodes, noting where each stands and what is not allowed."""

    def __init__(self, *, file: str) -> None:
        self.file = file
        self.values: dict[Path, _Spot] = {}
        self.keys: dict[Path, _Spot] = {}
        self.problems: list[Problem] = []
        self._met: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> object:
        if id(node) in self._met:
            self._wrong(node, "an alias of an anchor", "the value itself")
            return None
        self._met.add(id(node))
        self.values[path] = _spot(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, "a key that is not a text", "a text")
                continue
            name = key.value
            if name in found:
                first = self.keys[(*path, name)].line + 1
                self._wrong(key, f"the key {name!r} again, after line {first}", "each key once")
                continue
            self.keys[(*path, name)] = _spot(key)
            found[name] = self.value(value, (*path, name))
        return found

    def _scalar(self, node: yaml.Node) -> object:
        read = _SCALARS.get(node.tag)
        if read is None:
            self._wrong(node, f"the tag {node.tag!r}", "a plain value")
            return None
        try:
            return read(node.value)
        except ValueError:
            self._wrong(node, f"{node.tag.replace(_CORE, '!!')} {node.value!r}", "a value of that type")
            return None

    def _wrong(self, node: yaml.Node, found: str, expected: str) -> None:
        spot = _spot(node)
        place = Place(file=self.file, line=spot.line + 1, column=spot.column + 1)
        self.problems.append(Problem(place=place, found=found, expected=expected))


def _spot(node: yaml.Node) -> _Spot:
    text = node.value if isinstance(node, yaml.ScalarNode) else None
    mark = node.start_mark
    return _Spot(line=mark.line, column=mark.column, style=getattr(node, "style", None), text=text)


def _inside(spot: _Spot, lines: tuple[str, ...], offset: int) -> tuple[int, int]:
    """Where the character at `offset` of a scalar's text stands in the source.

    Folding and indenting change white space only, so the source is followed by the other characters: the
    nth of the text is the nth of the source, whichever style the scalar is written in. An escape in a
    quoted scalar is stepped over.
    """
    line, column = spot.line, spot.column
    if spot.style in {"|", ">"}:
        line, column = line + 1, 0
    elif spot.style in {"'", '"'}:
        column += 1
    text = spot.text or ""
    wanted = [each for each in text[:offset] if not each.isspace()]
    source = (
        (row, at)
        for row in range(line, len(lines))
        for at in range(column if row == line else 0, len(lines[row]))
    )
    last = (line, column)
    for character in [*wanted, next((each for each in text[offset:] if not each.isspace()), "")]:
        for row, at in source:
            if lines[row][at] == character:
                last = (row, at)
                break
    return last


def _place(file: str, error: yaml.MarkedYAMLError) -> Place:
    return _at(file, error.problem_mark or error.context_mark)


def _at(file: str, mark: Any) -> Place:  # noqa: ANN401 - PyYAML and its C loader have a class of marks each
    return Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=file)


def _refused(place: Place, found: str, expected: str) -> RefusedError:
    return RefusedError((Problem(place=place, found=found, expected=expected),))
