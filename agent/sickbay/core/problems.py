"""What is wrong with a file that a person wrote, said so that they can put it right.

A problem is a value: a reader collects all of a file's problems and reports them together, because a person
who mends a file one error a run stops reading them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

Path = tuple[str | int, ...]
"""The way to a value inside a document: keys of mappings and indices of lists, from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in a file. Lines and columns count from 1; 0 means that the file as a whole is meant."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Locator(Protocol):
    """Knows where the values of a document stand in its file."""

    def __call__(self, path: Path, offset: int = 0, *, key: bool = False) -> Place:
        """The place of the value at `path`, `offset` characters into its text.

        With `key`, the place of the key that leads to the value instead. A path that does not exist gives
        the place of the nearest enclosing value, so that a missing key can be reported too.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, what was found there, and what would be right."""

    place: Place
    found: str
    expected: str

    @property
    def file(self) -> str:
        """The file as it was named to us."""
        return self.place.file

    @property
    def line(self) -> int:
        """From 1; 0 for the file as a whole."""
        return self.place.line

    @property
    def column(self) -> int:
        """From 1; 0 for the file as a whole."""
        return self.place.column

    def __str__(self) -> str:
        return f"{self.place}: found {self.found}; expected {self.expected}"


class RefusedError(ValueError):
    """A file, or a set of files, that cannot be used; nothing of it is used in part."""

    def __init__(self, problems: Collection[Problem]) -> None:
        """`problems` in the order of files and lines; there is at least one."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def one_of(known: Collection[str], found: str = "") -> str:
    """`one of a, b, c`, and the nearest to what was found, for the `expected` of a problem."""
    listed = "one of " + ", ".join(sorted(known)) if known else "nothing here"
    nearest = get_close_matches(found, known, n=1) if found else []
    return f"{listed} (did you mean {nearest[0]}?)" if nearest else listed
