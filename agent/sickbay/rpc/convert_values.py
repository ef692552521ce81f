"""The grains that every conversion is made of: enums, texts, numbers and times.

Both ways are total. What protobuf cannot hold is changed as little as it takes, and what this version does
not understand becomes the value that acts on nothing.
"""

import math
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

E = TypeVar("E", bound=Enum)
N = TypeVar("N", bound=int)

_INT64 = 2**63
_ENTRIES = 100
_MOST_ENTRIES = 10_000


class EnumCodec(Generic[E, N]):
    """One enum of `sickbay.core` and its namesake on the wire, whose names are `PREFIX_MEMBER`."""

    def __init__(self, wire: "_EnumTypeWrapper[N]", members: type[E], *, prefix: str, safest: E) -> None:
        """`safest` stands for every number without a member. Raises ValueError for a member without one."""
        self._numbers = {member: wire.Value(f"{prefix}_{member.name}") for member in members}
        self._members: dict[int, E] = {number: member for member, number in self._numbers.items()}
        self._safest = safest

    def wire(self, member: E) -> N:
        """The member's number."""
        return self._numbers[member]

    def core(self, number: int) -> E:
        """The number's member, or the safest one."""
        return self._members.get(number, self._safest)

    def knows(self, number: int) -> bool:
        """Whether the number has a member of its own."""
        return number in self._members


def text(value: str) -> str:
    r"""`value` as UTF-8 can carry it: bytes of a kernel line that were not UTF-8 are written as `\udcNN`."""
    if value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def texts(values: "tuple[str, ...]") -> list[str]:
    """`text` of each."""
    return [text(value) for value in values]


def integer(value: int) -> int:
    """`value`, or the nearest that 64 signed bits hold."""
    return min(max(value, -_INT64), _INT64 - 1)


def fits(value: int) -> bool:
    """Whether 64 signed bits hold `value`."""
    return -_INT64 <= value < _INT64


def seconds(value: float) -> float:
    """A time or a span from outside: what is not finite reads as 0, which is long ago, expired, or unset.

    A NaN would make every comparison false, and `now > expires_at` with it: a grant that never ends.
    """
    return value if math.isfinite(value) else 0.0


def maybe_seconds(value: float) -> float | None:
    """An optional time from outside; what is not finite was not reached."""
    return value if math.isfinite(value) else None


def limit(value: int) -> int:
    """How many entries a caller asked for: the default for none, and never without bound."""
    return min(value, _MOST_ENTRIES) if value > 0 else _ENTRIES
