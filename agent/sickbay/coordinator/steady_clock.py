"""A wall clock that nobody can set: the machine's at the start, and from there on the monotonic one.

Deadlines of remediations are Unix times, because they outlive a restart. Were the machine's clock set forward
by an hour, every one of them would have passed at once.
"""

from dataclasses import dataclass, field

from sickbay.core.instants import Instant
from sickbay.host.clock import Clock


@dataclass(slots=True)
class SteadyClock:
    """A `Clock` over another one. It takes the machine's time anew with each start of the coordinator."""

    clock: Clock
    _began: Instant = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock.now()

    def now(self) -> Instant:
        """This moment, as many seconds after the start as have really passed."""
        return self._began.later(self.clock.now().mono - self._began.mono)

    async def sleep(self, seconds: float) -> None:
        """Leave the loop to others for `seconds`."""
        await self.clock.sleep(seconds)
