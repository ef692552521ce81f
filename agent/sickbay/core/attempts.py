"""The attempts' gate: a repair that has just ended is given time to show what it did."""

from dataclasses import dataclass

from sickbay.core.decisions import Finding, held_back, let_through
from sickbay.core.instants import format_duration

_GATE = "attempts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What was tried on a node of late. Spans are seconds.

    `lately` repairs began within `window`; with `most` of them the next goes to a person. `ended_ago` is how
    long ago the last repair of this fault's family on this node ended, None when none is remembered;
    `cool_down` is how long what then seems to fail may still be its echo.
    """

    family: str
    lately: int
    most: int
    window: float
    ended_ago: float | None = None
    cool_down: float = 0.0


def attempts_gate(attempted: Attempted, *, under_way: bool) -> Finding:
    """No repair follows on the heels of another of the same family."""
    counted = (
        f"{attempted.lately} repairs of the node within {format_duration(attempted.window)}, "
        f"{attempted.most} allowed"
    )
    if under_way:
        return let_through(_GATE, counted)
    ended = attempted.ended_ago
    if ended is not None and ended < attempted.cool_down:
        return held_back(
            _GATE,
            f"a repair of {attempted.family} ended {format_duration(ended)} ago, "
            f"the next may begin {format_duration(attempted.cool_down)} after",
        )
    if attempted.lately >= attempted.most:
        return let_through(_GATE, f"{counted}: the node goes to a person, and is not repaired again")
    return let_through(_GATE, counted)
