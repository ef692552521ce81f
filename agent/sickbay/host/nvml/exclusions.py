"""Which GPUs are left out, why, and when one may be tried again. Pure: time is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from sickbay.host.nvml.readings import GpuState, Hang


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits that double from `first` to `longest`, in seconds."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """The wait after that many failures in a row; 0 after none."""
        if failures <= 0:
            return 0.0
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 60))


class Cause(Enum):
    """Why a GPU is left out."""

    HUNG = "hung"
    CRASHED = "crashed"
    LOST = "lost"
    TOLD = "told"


_STATE = MappingProxyType(
    {
        Cause.HUNG: GpuState.UNRESPONSIVE,
        Cause.CRASHED: GpuState.UNSEEN,
        Cause.LOST: GpuState.LOST,
        Cause.TOLD: GpuState.UNSEEN,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One GPU that no driver call may touch. `target` is its address, or `#n` while that is not known."""

    target: str
    cause: Cause
    because: str
    tried: int
    retry_at: float
    hang: Hang | None = None

    @property
    def state(self) -> GpuState:
        """How the GPU stands in sweeps that leave it out."""
        return _STATE[self.cause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """All GPUs that are left out. `now` and `retry_at` are CLOCK_MONOTONIC seconds."""

    backoff: Backoff
    by_target: Mapping[str, Exclusion] = field(default_factory=lambda: MappingProxyType({}))

    def __contains__(self, target: str) -> bool:
        return target in self.by_target

    def leave_out(
        self,
        target: str,
        *,
        cause: Cause,
        because: str,
        now: float,
        hang: Hang | None = None,
    ) -> "Exclusions":
        """Leave a GPU out, or, when it already is, note that another try failed: the next wait is longer.

        An order for a GPU that already is left out changes nothing: it says less than what was seen, and a
        storm of equal kernel lines must not make the wait longer.
        """
        before = self.by_target.get(target)
        if before is not None and cause is Cause.TOLD:
            return self
        tried = 1 if before is None else before.tried + 1
        after = Exclusion(
            target=target,
            cause=cause,
            because=because,
            tried=tried,
            retry_at=now + self.backoff.after(tried),
            hang=hang,
        )
        return self._with({**self.by_target, target: after})

    def postpone(self, target: str, now: float) -> "Exclusions":
        """A try told nothing new: wait longer, and keep what is known."""
        before = self.by_target[target]
        tried = before.tried + 1
        after = replace(before, tried=tried, retry_at=now + self.backoff.after(tried))
        return self._with({**self.by_target, target: after})

    def take_back(self, target: str) -> "Exclusions":
        """The GPU answers again."""
        return self._with({key: value for key, value in self.by_target.items() if key != target})

    def clear(self) -> "Exclusions":
        """The driver starts afresh, and so does every GPU."""
        return self._with({})

    def due(self, now: float) -> Exclusion | None:
        """The GPU that has waited longest past its time to be tried again."""
        ready = [one for one in self.by_target.values() if one.retry_at <= now]
        return min(ready, key=lambda one: one.retry_at, default=None)

    def _with(self, by_target: Mapping[str, Exclusion]) -> "Exclusions":
        return replace(self, by_target=MappingProxyType(dict(by_target)))
