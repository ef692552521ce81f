"""YAML files, read with the position of every value, so that an error can name file, line and column.

The dialect is narrow on purpose: YAML 1.2's words for yes and no (`true`, `false`), so that the rules' `on:`
stays a word; one document a file; keys are texts and stand once; no anchors, which would let a few lines
unfold into gigabytes.
"""

import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

import yaml

from sickbay.core.problems import Path, Place, Problem, RefusedError

MOST_BYTES = 1 << 20
"""Larger files are refused: nobody writes one by hand, and reading one would stall the start."""

DEEPEST = 50
"""How deep values may lie inside each other: nobody writes more by hand, and reading recurses."""

_SHOWN = 40
"""Characters of a value that cannot be read, in what is said of it."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser, where PyYAML was built with it."""

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

_PLAIN: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("tTfF", f"{_CORE}bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("-+0123456789", f"{_CORE}int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")),
    (
        "-+.0123456789",
        f"{_CORE}float",
        re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"),
    ),
    ("~nN", f"{_CORE}null", re.compile(r"~|null|Null|NULL")),
)
"""YAML 1.2's core schema for plain scalars: first characters, tag, form."""


_Spot = tuple[int, int, str | None, str | None]
"""Where a value stands: line and column from 0, and the style and text of a scalar.

A plain tuple, because a rule set has thousands: any other form costs several times as much to make, and the
parser's own marks as much again to the garbage collector.
"""


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
        line, column = _inside(spot, self._lines, offset)
        return Place(file=self.file, line=line + 1, column=column + 1)


def read_yaml(path: FilePath) -> YamlDocument:
    """Read one file.

    Raises:
        RefusedError: when it cannot be read, is no YAML, or says something twice; with all that is wrong.
    """
    return parse_yaml(text_of(path), file=str(path))


def text_of(path: FilePath) -> str:
    """The text of one file, no longer than MOST_BYTES. RefusedError when it cannot be read.

    A pipe or a device is refused unopened: reading one might never end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _refused(Place(file=str(path)), "no plain file", "a file that can be read")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _refused(Place(file=str(path)), f"{error.strerror}", "a file that can be read") from error
    if len(raw) > MOST_BYTES:
        raise _refused(Place(file=str(path)), "a larger file", f"at most {MOST_BYTES} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        place = Place(file=str(path), line=raw.count(b"\n", 0, error.start) + 1, column=1)
        raise _refused(place, f"the byte {raw[error.start]:#04x}", "UTF-8") from error


def parse_yaml(text: str, *, file: str) -> YamlDocument:
    """The same for a text at hand; `file` is the name that errors give it."""
    walk = _Walk(file=file, events=yaml.parse(text, Loader=_LOADER))
    try:
        value = walk.document()
    except yaml.MarkedYAMLError as error:
        found = str(error.problem).removeprefix("found ")
        raise _refused(_place(file, error), found, "YAML, one document") from error
    except yaml.reader.ReaderError as error:
        # The C parser counts bytes and the other characters, so the position is looked up.
        place = _place_of_character(file, text, text.find(chr(error.character)))
        found = f"the character {error.character:#06x}"
        raise _refused(place, found, "YAML, which allows no such control characters") from error
    except yaml.YAMLError as error:
        raise _refused(Place(file=file), str(error), "YAML") from error
    if walk.problems:
        raise RefusedError(walk.problems)
    return YamlDocument(
        file=file,
        value=value,
        _lines=tuple(text.splitlines(keepends=True)),
        _values=MappingProxyType(walk.values),
        _keys=MappingProxyType(walk.keys),
    )


class _Walk:
    """Builds plain values from the parser's events, noting where each stands and what is not allowed.

    One pass, without PyYAML's tree of nodes: a site's 500 rules are read at every start of every agent.
    """

    def __init__(self, *, file: str, events: Iterator[Any]) -> None:
        self.file = file
        self.values: dict[Path, _Spot] = {}
        self.keys: dict[Path, _Spot] = {}
        self.problems: list[Problem] = []
        self._events = events

    def document(self) -> object:
        """The only document of the stream; None when there is none."""
        next(self._events)  # the start of the stream
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), (), 0)
        next(self._events)  # the end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _refused(_at(self.file, event.start_mark), "another document", "YAML, one document")
        return value

    def _value(self, event: Any, path: Path, depth: int) -> object:  # noqa: ANN401 - events have no types
        if isinstance(event, yaml.AliasEvent):
            self._wrong(event, "an alias of an anchor", "the value itself")
            return None
        mark = event.start_mark
        if isinstance(event, yaml.ScalarEvent):
            self.values[path] = (mark.line, mark.column, event.style, event.value)
            return self._scalar(event)
        self.values[path] = (mark.line, mark.column, None, None)
        if depth == DEEPEST:
            place = _at(self.file, event.start_mark)
            raise _refused(place, "a value deeper inside others", f"at most {DEEPEST} levels")
        inside = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
        return inside(path, depth + 1)

    def _sequence(self, path: Path, depth: int) -> list[object]:
        found: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found)), depth))
        return found

    def _mapping(self, path: Path, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                self._wrong(key, "a key that is not a text", "a text")
                self._pass_over(key)
                self._pass_over(next(self._events))
                continue
            name, at = key.value, (*path, key.value)
            if name in found:
                first = self.keys[at][0] + 1
                self._wrong(key, f"the key {name!r} again, after line {first}", "each key once")
                self._pass_over(next(self._events))
                continue
            mark: Any = key.start_mark
            self.keys[at] = (mark.line, mark.column, key.style, name)
            found[name] = self._value(next(self._events), at, depth)
        return found

    def _pass_over(self, event: Any) -> None:  # noqa: ANN401 - events have no types
        """Leave out the value that begins with an event."""
        inside = int(isinstance(event, yaml.CollectionStartEvent))
        while inside:
            event = next(self._events)
            inside += isinstance(event, yaml.CollectionStartEvent)
            inside -= isinstance(event, yaml.CollectionEndEvent)

    def _scalar(self, event: Any) -> object:  # noqa: ANN401 - events have no types
        tag = _tag_of(event)
        read = _SCALARS.get(tag)
        if read is None:
            self._wrong(event, f"the tag {tag!r}", "a plain value")
            return None
        try:
            return read(event.value)
        except ValueError:
            found = f"{tag.replace(_CORE, '!!')} {event.value[:_SHOWN]!r}"
            self._wrong(event, found, "a value of that type")
            return None

    def _wrong(self, event: Any, found: str, expected: str) -> None:  # noqa: ANN401 - events have no types
        self.problems.append(Problem(place=_at(self.file, event.start_mark), found=found, expected=expected))


def _tag_of(event: Any) -> str:  # noqa: ANN401 - events have no types
    """The tag that a scalar has, or that its text has where it stands plain."""
    if event.tag is not None and event.tag != "!":
        return str(event.tag)
    text = event.value
    if event.implicit[0]:
        if not text:
            return f"{_CORE}null"
        for first, tag, form in _PLAIN:
            if text[0] in first and form.fullmatch(text):
                return tag
    return f"{_CORE}str"


def _inside(spot: _Spot, lines: tuple[str, ...], offset: int) -> tuple[int, int]:
    """Where the character at `offset` of a scalar's text stands in the source.

    Folding and indenting change white space only, so the source is followed by the other characters: the
    nth of the text is the nth of the source, whichever style the scalar is written in. An escape in a
    quoted scalar is stepped over.
    """
    line, column, style, text = spot
    if text is None:
        return line, column
    if style in {"|", ">"}:
        line, column = line + 1, 0
    elif style in {"'", '"'}:
        column += 1
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


def _place_of_character(file: str, text: str, position: int) -> Place:
    before = text[:position]
    line = before.count("\n")
    return Place(file=file, line=line + 1, column=position - (before.rfind("\n") + 1) + 1)


def _at(file: str, mark: Any) -> Place:  # noqa: ANN401 - PyYAML and its C loader have a class of marks each
    return Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else Place(file=file)


def _refused(place: Place, found: str, expected: str) -> RefusedError:
    return RefusedError((Problem(place=place, found=found, expected=expected),))
