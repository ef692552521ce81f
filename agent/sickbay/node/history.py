"""This node's history on its way: to the disk first, then to the coordinator, until that has it.

Memory holds the oldest events that nobody acknowledged, up to a window; the spool has the rest. What is told
to the link is on the disk already, so an acknowledgement never speaks of an event that a crash could take.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence

from sickbay.core.messages import Event
from sickbay.host.spool import Spool, SpoolUnavailableError
from sickbay.node.status import HostStatus

_LOG = logging.getLogger(__name__)

WINDOW = 1024
"""Events in memory at most; more than any page that the link asks for."""

_REFILL_BELOW = WINDOW // 2


class History:
    """A `SpoolListener` over one spool, and what the link reads from it."""

    def __init__(
        self,
        spool: Spool,
        status: HostStatus,
        *,
        on_new: Callable[[Sequence[Event]], None],
        on_dropped: Callable[[int], None],
        on_trouble: Callable[[str], None],
        alone: bool = False,
    ) -> None:
        """`on_new` gets events once they are on disk, `on_dropped` how many were lost, `on_trouble` why.

        An agent that works `alone` waits for no acknowledgement: its history stays on the node until it ages.
        """
        self._spool = spool
        self._status = status
        self._on_new = on_new
        self._on_dropped = on_dropped
        self._on_trouble = on_trouble
        self._alone = alone
        events, depth = spool.backlog(WINDOW)
        self._window: deque[Event] = deque(events)
        self._is_whole = len(events) == depth
        self._newest = events[-1].sequence if events else 0
        self._acknowledged = 0
        status.spooled_events = 0 if alone else depth

    def committed(self, events: Sequence[Event], *, depth: int, dropped: int) -> None:
        """The spool has these, and `depth` wait altogether."""
        self._status.spooled_events = 0 if self._alone else depth
        if events and self._alone:
            self._spool.acknowledge(events[-1].sequence)
        elif events:
            self._newest = events[-1].sequence
            self._remember(events)
            self._on_new(events)
        if dropped:
            self._on_dropped(dropped)

    def troubled(self, why: str) -> None:
        """The disk refuses, or takes writes again."""
        self._on_trouble(why)

    def unacknowledged(self, limit: int) -> Sequence[Event]:
        """The oldest of those that nobody acknowledged, from memory; at most `WINDOW`."""
        return [self._window[place] for place in range(min(limit, len(self._window)))]

    async def acknowledged(self, sequence: int) -> None:
        """Everything up to `sequence` is safe. Returns when the next page is in memory, or cannot be had."""
        self._acknowledged = max(self._acknowledged, sequence)
        self._spool.acknowledge(sequence)
        while self._window and self._window[0].sequence <= sequence:
            self._window.popleft()
        if not self._is_whole and len(self._window) < _REFILL_BELOW:
            await self._refill()

    def _remember(self, events: Sequence[Event]) -> None:
        """Keep new events in the window, as long as it holds all that wait."""
        if self._is_whole and len(self._window) + len(events) <= WINDOW:
            self._window.extend(events)
        else:
            self._is_whole = False

    async def _refill(self) -> None:
        after = self._window[-1].sequence if self._window else self._acknowledged
        try:
            page = await self._spool.unacknowledged(after=after, limit=WINDOW - len(self._window))
        except SpoolUnavailableError as error:
            _LOG.warning("older events cannot be read from the spool: %s", error)
            return
        self._window.extend(page)
        # Events may have been committed between the reading of the page and this moment.
        last = self._window[-1].sequence if self._window else self._acknowledged
        self._is_whole = last >= self._newest
