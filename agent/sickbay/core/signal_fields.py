"""The fields of signals: their types, and how one is declared."""

from dataclasses import dataclass
from enum import Enum

FieldValue = bool | int | float | str | None
"""None is *unknown*: the source could not say. It is never zero and never healthy."""


class FieldType(Enum):
    """Types that rules can reason about; they map one to one to CEL's."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "double"
    TEXT = "string"


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field of a signal kind, with its unit where it has one."""

    type: FieldType
    about: str
    unit: str = ""
