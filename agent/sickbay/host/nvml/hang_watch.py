"""When is a driver call hung? Decided from two looks at the slot, so that no half-written record counts."""

from dataclasses import dataclass

from sickbay.host.nvml.catalogue import CALLS, WAITING_CALLS, patience
from sickbay.host.nvml.slot import NO_GPU


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds. `call` for an ordinary driver call, `slow` for one that initialises a driver or a GPU.

    `silence` is how long a worker may owe an answer without being in any call: then it is itself at fault.
    """

    call: float = 5.0
    slow: float = 30.0
    silence: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the slot said: a call in progress, about a GPU's position (None: about none), since `started`."""

    call: str
    gpu: int | None
    started: float

    @classmethod
    def of(cls, record: tuple[int, int, int]) -> "Look | None":
        """A record of the shared memory; None when no call is in progress, or when it is no record."""
        call_id, gpu, started_ns = record
        if not 1 <= call_id <= len(CALLS):
            return None
        return cls(call=CALLS[call_id - 1], gpu=None if gpu == NO_GPU else gpu, started=started_ns / 1e9)


class HangWatch:
    """Looks at one place of the slot again and again."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._last: Look | None = None

    def see(self, look: Look | None, now: float) -> float | None:
        """Seconds for which one and the same call has been going on, once that is past its deadline.

        `now` is CLOCK_MONOTONIC, the clock that the worker stamps with. None while all is well, and at the
        first sight of any call: after the whole host stood still (a frozen container, a stopped machine) a
        healthy call looks old once and has ended by the next look.
        """
        seen_before = look is not None and look == self._last
        self._last = look
        if look is None or not seen_before:
            return None
        waited = now - look.started
        limit = patience(look.call, quick=self._deadlines.call, slow=self._deadlines.slow)
        return waited if waited > limit else None


def is_waiting(look: Look) -> bool:
    """Whether the call is one that is meant to block."""
    return look.call in WAITING_CALLS
