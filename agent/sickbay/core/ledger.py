"""The ledger: who decided or did what to which node, and why. Lines are only ever added.

A line is kept until nothing open speaks of it any more and it has grown old; nobody changes one.
"""

from dataclasses import dataclass

from sickbay.core.ids import NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line. `at` in Unix seconds.

    `who` is `coordinator`, `operator NAME`, or someone that only the scheduler knows. `before` and `after`
    are the states around it, in words. `rules` is the digest of the rule set under which `rule` spoke, as the
    node's agent understood it, and `rules_version` the number under which it was handed out; 0 where the
    agent runs its own files.
    """

    at: float
    who: str
    what: str
    node: NodeName
    why: str
    incident: str = ""
    remediation: str = ""
    rule: str = ""
    before: str = ""
    after: str = ""
    rules: str = ""
    rules_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A line in its place: `row` only rises, and is what the next page begins from."""

    row: int
    entry: LedgerEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerQuery:
    """Which lines; empty texts mean all, times are Unix seconds with 0 for no bound.

    The latest `limit` before row `before` (0: the latest of all), or, where `after` is given, the next
    `limit` after that row. `who` is a whole name, with or without `operator`; `what` is how the words begin.
    `incident` is a whole id.
    """

    node: NodeName = NodeName("")
    incident: str = ""
    who: str = ""
    what: str = ""
    since: float = 0.0
    until: float = 0.0
    before: int = 0
    after: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Lines, oldest first. `earlier` is the `before` of the page with those before them, 0 if none is."""

    lines: tuple[LedgerLine, ...]
    earlier: int = 0
