"""The form of a measured figure, shared by all modules of `make bench`."""

import statistics
from collections.abc import Sequence
from typing import NotRequired, TypedDict


class Figure(TypedDict):
    """One figure beside its goal. `value` and `ok` are None where it cannot be had, and `why` says so."""

    value: float | None
    unit: str
    goal: float | None
    ok: bool | None
    why: NotRequired[str]


class NotHereError(Exception):
    """This machine cannot give the figures of a module; `str()` is the reason."""


def at_most(value: float, unit: str, goal: float) -> Figure:
    """A figure that should not be more than its goal."""
    return {"value": round(value, 4), "unit": unit, "goal": goal, "ok": value <= goal}


def noted(value: float, unit: str) -> Figure:
    """A figure without a goal, told for what it says about others."""
    return {"value": round(value, 4), "unit": unit, "goal": None, "ok": None}


def cannot(why: str) -> Figure:
    """In place of what could not be measured."""
    return {"value": None, "unit": "", "goal": None, "ok": None, "why": why}


def median(values: Sequence[float]) -> float:
    """The middle of what was measured."""
    return statistics.median(values)


def p99(values: Sequence[float]) -> float:
    """What 99 of 100 stay below; of fewer than 100 values the largest."""
    return max(values) if len(values) < 100 else statistics.quantiles(values, n=100)[98]
