"""Typed values out of a mapping that a person wrote, collecting every problem on the way.

A reader never raises for bad content: it notes the problem, hands out a stand-in, and the caller discards the
result when `problems` is not empty. So one pass reports all that is wrong with an entry.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from sickbay.core.instants import parse_duration
from sickbay.core.problems import Locator, Path, Problem, one_of

_E = TypeVar("_E", bound=Enum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a file: plain values, and where each of them stands. `layer` names the file."""

    fields: Mapping[str, object]
    locate: Locator
    layer: str


@dataclass(slots=True, kw_only=True)
class FieldReader:
    """Reads one mapping; readers of nested mappings share its list of problems."""

    fields: Mapping[str, object]
    locate: Locator
    path: Path = ()
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, entry: Entry) -> "FieldReader":
        """A reader of a whole entry."""
        return cls(fields=entry.fields, locate=entry.locate)

    def has(self, key: str) -> bool:
        """Whether the key was written with a value; `key: null` counts as absent."""
        return self.fields.get(key) is not None

    def allow(self, keys: Collection[str]) -> None:
        """Note a problem for every key that is not among `keys`."""
        for key in self.fields:
            if key not in keys:
                place = self.locate((*self.path, key), key=True)
                self.problems.append(
                    Problem(place=place, found=f"the unknown key {key!r}", expected=one_of(keys, key)),
                )

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key is required."""
        value = self._value(key, required=default is None, expected="a text")
        if value is None:
            return default or ""
        if isinstance(value, str) and value.strip():
            return value
        self.wrong(key, "a text (put it in quotes where YAML reads it as something else)")
        return ""

    def integer(self, key: str, *, default: int | None = None, least: int = 0, most: int = 10**9) -> int:
        """A whole number from `least` to `most`; without a default the key is required."""
        expected = f"a whole number from {least} to {most}"
        value = self._value(key, required=default is None, expected=expected)
        if value is None:
            return default or 0
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.wrong(key, expected)
        return 0

    def seconds(self, key: str, default: float | None = None) -> float:
        """A span such as `90s`, in seconds; without a default the key is required."""
        value = self._value(key, required=default is None, expected="a duration such as 90s")
        if value is None:
            return default or 0.0
        if not isinstance(value, str):
            self.wrong(key, "a duration with its unit, such as 250ms, 90s, 5m, 1h30m or 7d")
            return 0.0
        try:
            return parse_duration(value)
        except ValueError:
            self.wrong(key, "a duration such as 250ms, 90s, 5m, 1h30m or 7d")
            return 0.0

    def choice(self, key: str, words: type[_E], default: _E | None = None) -> _E:
        """A member of an enum by its value; without a default the key is required."""
        by_word: Mapping[str, _E] = _by_word(words)
        stand_in = next(iter(by_word.values()))
        value = self.fields.get(key)
        if value is None:
            if default is None:
                self.missing(key, one_of(by_word))
            return default or stand_in
        if isinstance(value, str) and value in by_word:
            return by_word[value]
        self.wrong(key, one_of(by_word, str(value)))
        return stand_in

    def inner(self, key: str, *, required: bool = False) -> "FieldReader | None":
        """A reader of the mapping under `key`, or None when there is none."""
        value = self._value(key, required=required, expected="a mapping")
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.wrong(key, "a mapping")
            return None
        return FieldReader(
            fields=value,
            locate=self.locate,
            path=(*self.path, key),
            problems=self.problems,
        )

    def inner_list(self, key: str) -> tuple["FieldReader", ...]:
        """Readers of the mappings in the list under `key`; empty when there is none."""
        value = self.fields.get(key)
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.wrong(key, "a list of mappings")
            return ()
        return tuple(reader for index in range(len(value)) if (reader := self._item(key, value, index)))

    def names(self, key: str) -> tuple[str, ...]:
        """The texts in the list under `key`, or the one text that stands there; empty when there is none."""
        value = self.fields.get(key)
        if isinstance(value, str) and value:
            return (value,)
        if value is None:
            return ()
        if (
            not isinstance(value, Sequence)
            or not value
            or not all(isinstance(item, str) and item for item in value)
        ):
            self.wrong(key, "a text, or a list of texts")
            return ()
        return tuple(value)

    def texts(self, key: str) -> tuple[tuple[str, str], ...]:
        """The mapping of text to text under `key`, sorted by key; empty when there is none."""
        reader = self.inner(key)
        if reader is None:
            return ()
        return tuple(sorted((name, reader.text(name)) for name in reader.fields))

    def wrong(self, key: str, expected: str, *, found: str = "", offset: int = 0) -> None:
        """Note that the value under `key` is not what it should be."""
        place = self.locate((*self.path, key), offset)
        shown = found or f"{key}: {self.fields.get(key)!r}"
        self.problems.append(Problem(place=place, found=shown, expected=expected))

    def missing(self, key: str, expected: str) -> None:
        """Note that a required key is not there."""
        found = f"no {'.'.join(str(part) for part in (*self.path, key))}"
        self.problems.append(Problem(place=self.locate(self.path), found=found, expected=expected))

    def _value(self, key: str, *, required: bool, expected: str) -> object:
        value = self.fields.get(key)
        if value is None and required:
            self.missing(key, expected)
        return value

    def _item(self, key: str, values: Sequence[object], index: int) -> "FieldReader | None":
        value = values[index]
        path: Path = (*self.path, key, index)
        if isinstance(value, Mapping):
            return FieldReader(fields=value, locate=self.locate, path=path, problems=self.problems)
        self.problems.append(Problem(place=self.locate(path), found=repr(value), expected="a mapping"))
        return None


@cache
def _by_word(words: type[Enum]) -> Mapping[str, Any]:
    return MappingProxyType({str(member.value): member for member in words})
