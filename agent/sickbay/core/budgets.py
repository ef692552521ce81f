"""Budgets: how many nodes may be out at our word, at once and within a while, of a pool and a failure domain.

A node counts from the moment in which its cordon is decided, which is before the cordon is asked for, until
it is given back; one that waits in quarantine is out. A node counts once within a window, however often it
came and went: repeats are the business of the attempts' gate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sickbay.core.decisions import Finding, held_back, let_through
from sickbay.core.instants import format_duration

_GATE = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The smaller of a number of nodes and a percentage; the percentage never comes to less than one node.

    So a small pool can still be repaired, one node after the other. `nodes=0` lets nothing through.
    """

    nodes: int
    percent: float

    def of(self, size: int) -> int:
        """How many of `size` nodes."""
        return min(self.nodes, max(1, int(size * self.percent / 100)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`at_once`: nodes out at one time. `within`: nodes taken out within any `window` seconds."""

    at_once: Limit
    within: Limit
    window: float = 3600.0

    def share(self, group: str, *, size: int, out: int, lately: int) -> "Share":
        """What is used of this budget by a group of `size` nodes."""
        return Share(
            group=group,
            size=size,
            out=out,
            out_limit=self.at_once.of(size),
            lately=lately,
            lately_limit=self.within.of(size),
            window=self.window,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a group of nodes, such as `pool:h100` or `rack:r12`, has used. `window` in seconds."""

    group: str
    size: int
    out: int
    out_limit: int
    lately: int
    lately_limit: int
    window: float

    @property
    def has_room(self) -> bool:
        """Whether one more node may go."""
        return self.out < self.out_limit and self.lately < self.lately_limit

    @property
    def words(self) -> str:
        """The numbers, for people."""
        return (
            f"{self.group} ({self.size} nodes): {self.out} out, {self.out_limit} allowed; "
            f"{self.lately} taken within {format_duration(self.window)}, {self.lately_limit} allowed"
        )


POOL_BUDGET = Budget(at_once=Limit(nodes=50, percent=5.0), within=Limit(nodes=20, percent=5.0))
DOMAIN_BUDGET = Budget(at_once=Limit(nodes=8, percent=25.0), within=Limit(nodes=8, percent=25.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """A budget for every group: `groups` by its name, else that of a pool or of a failure domain."""

    pool: Budget = POOL_BUDGET
    domain: Budget = DOMAIN_BUDGET
    groups: Mapping[str, Budget] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, group: str) -> Budget:
        """The budget of `pool:NAME` or of a domain such as `rack:NAME`."""
        return self.groups.get(group) or (self.pool if group.startswith("pool:") else self.domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an action would take from budgets. `shares` are without the node that it is about."""

    takes_node: bool
    shares: tuple[Share, ...] = ()


NO_CLAIM = Claim(takes_node=False)


def budget_gate(claim: Claim) -> Finding:
    """One more node must fit into the budget of its pool and of each of its failure domains."""
    if not claim.takes_node:
        return let_through(_GATE, "the node is out already")
    if not claim.shares:
        return held_back(_GATE, "how many nodes are out is not known")
    full = [share.words for share in claim.shares if not share.has_room]
    if full:
        return held_back(_GATE, "; ".join(full))
    return let_through(_GATE, "; ".join(share.words for share in claim.shares))
