"""What a fleet's replay found, apart from the rules that found it, and how shares of it are put together.

Nodes do not know of each other in a replay, so that a fleet can be replayed in shares by node, and the
findings are the same, however many shares there were.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from sickbay.core.fleet_replay import MOST_LISTED, FleetReplay, Tally
from sickbay.core.ids import NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The nodes of one of `of` shares, by their names: the same ones everywhere and always."""

    index: int = 0
    of: int = 1

    def holds(self, node: NodeName) -> bool:
        """Whether a node is of this share."""
        return self.of == 1 or crc32(node.encode()) % self.of == self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFindings:
    """See `FleetReplay`, whose words these are."""

    candidate: Tally
    recorded: Tally
    acted: Counter[str]
    nodes: int
    signals: int
    entries: int
    first: float | None
    last: float | None
    unseen: tuple[str, ...]

    def differences(self) -> Iterator[tuple[str, int, int]]:
        """(rule, conditions opened then, conditions opened now) for every rule where the two differ."""
        then, now = self.recorded.by_rule, self.candidate.by_rule
        for rule in sorted(then.keys() | now.keys()):
            if then[rule] != now[rule]:
                yield rule, then[rule], now[rule]


def findings_of(replay: FleetReplay) -> FleetFindings:
    """What a finished replay found."""
    return FleetFindings(
        candidate=_together([replay.candidate]),
        recorded=_together([replay.recorded]),
        acted=replay.acted,
        nodes=replay.nodes,
        signals=replay.signals,
        entries=replay.entries,
        first=replay.first,
        last=replay.last,
        unseen=replay.unseen,
    )


def together(shares: Sequence[FleetFindings]) -> FleetFindings:
    """The findings of all shares of one history, of which every share saw the times of all entries."""
    unseen = [set(share.unseen) for share in shares]
    return replace(
        shares[0],
        candidate=_together([share.candidate for share in shares]),
        recorded=_together([share.recorded for share in shares]),
        acted=sum((share.acted for share in shares), Counter()),
        nodes=sum(share.nodes for share in shares),
        signals=sum(share.signals for share in shares),
        entries=sum(share.entries for share in shares),
        unseen=tuple(rule for rule in shares[0].unseen if all(rule in each for each in unseen)),
    )


def _together(tallies: Sequence[Tally]) -> Tally:
    """One tally. What is listed comes in the order of time, then of nodes."""
    listed = [each for tally in tallies for each in tally.listed]
    listed.sort(key=lambda each: (each.now.wall, each.node))
    return Tally(
        conditions=sum(tally.conditions for tally in tallies),
        incidents=sum(tally.incidents for tally in tallies),
        by_rule=_sorted(sum((tally.by_rule for tally in tallies), Counter())),
        actions=_sorted(sum((tally.actions for tally in tallies), Counter())),
        nodes={node for tally in tallies for node in tally.nodes},
        listed=listed[:MOST_LISTED],
    )


def _sorted(counts: Counter[str]) -> Counter[str]:
    """The same, in an order that does not tell which share came first."""
    return Counter(dict(sorted(counts.items())))
