"""The one clock that every fault carries, T0 to T8, in Unix seconds."""

from dataclasses import dataclass, replace
from typing import Literal

Mark = Literal["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8"]

MARKS: tuple[Mark, ...] = ("t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8")

MEANING: dict[Mark, str] = {
    "t0": "evidence exists",
    "t1": "condition on the node",
    "t2": "stored by the coordinator",
    "t3": "unschedulable",
    "t4": "last job gone",
    "t5": "repair begun",
    "t6": "agent back on a new boot, or reset seen",
    "t7": "validated",
    "t8": "schedulable again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestones:
    """When each point of a fault's way was reached; None means not reached (or never needed)."""

    t0: float | None = None
    t1: float | None = None
    t2: float | None = None
    t3: float | None = None
    t4: float | None = None
    t5: float | None = None
    t6: float | None = None
    t7: float | None = None
    t8: float | None = None

    def reached(self, mark: Mark, at: float) -> "Milestones":
        """With `mark` set to `at`, unless it was reached before: the first time counts."""
        return self if getattr(self, mark) is not None else replace(self, **{mark: at})

    def between(self, first: Mark, second: Mark) -> float | None:
        """Seconds from one point to another, or None while either is not reached."""
        begin, end = getattr(self, first), getattr(self, second)
        return None if begin is None or end is None else end - begin
