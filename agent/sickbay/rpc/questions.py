"""What a question over the wire can carry, and how it can end without an answer.

Part of the contract in `sickbay.rpc.ports`, apart so that a command does not load all of it.
"""

from dataclasses import dataclass

from sickbay.core.ids import NodeName


class Unreachable(Exception):  # noqa: N818 - a word for what happened, as people say it
    """Nobody answered at an address. `str()` is a sentence for people: what was tried and how to start it."""


class Refused(Exception):  # noqa: N818 - as above
    """The other end answered, and said no; `str()` is its reason."""


class NotFound(Refused):
    """The other end does not know the node, incident or event that was named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: of one node or (empty) all, since a Unix time, the latest `limit` of them."""

    node: NodeName = NodeName("")
    since: float = 0.0
    limit: int = 100
