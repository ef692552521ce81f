"""Refuses a leader whose time is over.

The store's lease is what makes one coordinator the leader; this is the last check before an effect, for the
moment in which an old leader's call is still on its way in this process.
"""

from dataclasses import dataclass

from sickbay.core.orchestration import Mark
from sickbay.core.outcomes import Outcome


@dataclass(slots=True)
class TermFence:
    """Remembers the newest term under which an effect was asked for."""

    newest: int = 0

    def refusal(self, mark: Mark) -> Outcome | None:
        """FAILED for a mark of an older term, else None."""
        if mark.term < self.newest:
            return Outcome.failed(f"asked under term {mark.term}, but term {self.newest} has begun")
        self.newest = mark.term
        return None
