"""When more goes wrong than nodes do by themselves: too much at once, or one thing on too many together.

Nodes fail independently at a rate that a fleet knows of itself; a Poisson process says how likely a number of
failures within a window is. What is too unlikely has a common cause (a driver, a power feed, a mistake of
ours), and taking nodes out one by one is no answer to that. The other sign is one family of faults on a large
part of a job, a failure domain, a pool or the fleet.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sickbay.core.areas import FLEET
from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.instants import format_duration

_DAY = 86_400.0
_PER_NODES = 1_000.0
_NEGLIGIBLE = 1e-12
"""Terms of a tail that are smaller than this part of its first one do not change any decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StormLimits:
    """Spans are seconds.

    `base_rate`: failures of nodes that the fleet has anyway, a thousand nodes and day; 6.5 is what Meta
    published of its research clusters (https://arxiv.org/abs/2410.21680). `improbable`: what is less likely
    than this within `window` is a storm, if it is at least `at_least` causes. `percent` of a group's nodes,
    or `nodes` of them, with one family of faults are a storm, if they are at least `together`. `quiet`: how
    long neither must be so before the gate opens by itself.
    """

    base_rate: float = 6.5
    window: float = 3_600.0
    improbable: float = 1e-5
    at_least: int = 4
    percent: float = 30.0
    nodes: int = 20
    together: int = 3
    quiet: float = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A fault on which we would act, or have. `at` in Unix seconds.

    `groups` are what the node shares with others, by size: its pool, its domains, its jobs, the fleet.
    `cause` is what counts as one failure: a domain whose nodes tell the same has failed once.
    """

    incident: IncidentId
    node: NodeName
    family: str
    reason: str
    at: float
    cause: str
    groups: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """`area` is the part of the fleet that should be held, `why` the numbers that say so."""

    area: str
    why: str


def storms(reports: Iterable[Report], *, fleet: int, limits: StormLimits) -> tuple[Storm, ...]:
    """The storms that these reports, all of one window, are in a fleet of so many nodes; one an area."""
    reports = tuple(reports)
    found = {storm.area: storm for storm in _common(reports, limits)}
    if FLEET not in found and (why := _improbable(reports, fleet, limits)):
        found[FLEET] = Storm(area=FLEET, why=why)
    return tuple(found.values())


def _common(reports: Iterable[Report], limits: StormLimits) -> Iterator[Storm]:
    """One family of faults across a large part of one group."""
    nodes: defaultdict[tuple[str, str], set[NodeName]] = defaultdict(set)
    sizes: dict[str, int] = {}
    for report in reports:
        for group, size in report.groups.items():
            nodes[report.family, group].add(report.node)
            sizes[group] = max(size, sizes.get(group, 0))
    for (family, group), told in nodes.items():
        size = max(sizes[group], len(told))
        many = len(told) >= limits.nodes or len(told) * 100 >= limits.percent * size
        if many and len(told) >= limits.together:
            # A job is no area: nobody can say which nodes it will have next.
            area = FLEET if group.startswith("job:") else group
            yield Storm(area=area, why=f"{family} on {len(told)} of the {size} nodes of {group}")


def _improbable(reports: Iterable[Report], fleet: int, limits: StormLimits) -> str:
    """More independent failures than the base rate makes credible."""
    causes = len({report.cause for report in reports})
    if causes < limits.at_least:
        return ""
    expected = fleet * limits.base_rate / _PER_NODES * limits.window / _DAY
    likelihood = at_least(causes, expected)
    if likelihood >= limits.improbable:
        return ""
    return (
        f"{causes} independent faults within {format_duration(limits.window)} where {expected:.2g} are usual "
        f"among {fleet} nodes (likelihood {likelihood:.1g})"
    )


def at_least(count: int, expected: float) -> float:
    """The likelihood of `count` events or more where a Poisson process has `expected` of them."""
    if count <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    if count <= expected:
        return 1.0 - sum(_likelihood(number, expected) for number in range(count))
    term = total = _likelihood(count, expected)
    number = count
    while term > total * _NEGLIGIBLE:
        number += 1
        term *= expected / number
        total += term
    return min(total, 1.0)


def _likelihood(count: int, expected: float) -> float:
    return math.exp(count * math.log(expected) - expected - math.lgamma(count + 1))
