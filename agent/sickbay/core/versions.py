"""Ranges of versions such as NVIDIA's `570.124.06`: numbers between dots, compared number by number."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_VERSION = re.compile(r"\d+(?:\.\d+)*")
_BOUND = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)\s*")

Numbers = tuple[int, ...]

_COMPARE: Mapping[str, Callable[[Numbers, Numbers], bool]] = MappingProxyType(
    {
        ">=": operator.ge,
        "<=": operator.le,
        "==": operator.eq,
        "!=": operator.ne,
        ">": operator.gt,
        "<": operator.lt,
    },
)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Bounds that all must hold, such as `>=550, <575`."""

    bounds: tuple[tuple[str, Numbers], ...]

    @classmethod
    def parse(cls, text: str) -> "VersionRange":
        """The range that a text writes; ValueError for a text that writes none."""
        bounds = []
        for part in text.split(","):
            match = _BOUND.fullmatch(part)
            if match is None:
                raise ValueError(f"{part.strip()!r} is no bound such as >=550.54 or <575")
            bounds.append((match[1], _numbers(match[2])))
        return cls(tuple(bounds))

    def holds(self, version: str) -> bool | None:
        """Whether a version lies in the range; None when it is no version."""
        match = _VERSION.match(version)
        if match is None:
            return None
        numbers = _numbers(match[0])
        return all(_compared(comparison, numbers, bound) for comparison, bound in self.bounds)

    def __str__(self) -> str:
        return ", ".join(f"{sign}{'.'.join(map(str, bound))}" for sign, bound in self.bounds)


def _numbers(text: str) -> Numbers:
    return tuple(int(part) for part in text.split("."))


def _compared(comparison: str, version: Numbers, bound: Numbers) -> bool:
    """Missing numbers are zeros, so that 570 and 570.0 are one version."""
    width = max(len(version), len(bound))
    padded = version + (0,) * (width - len(version))
    return _COMPARE[comparison](padded, bound + (0,) * (width - len(bound)))
