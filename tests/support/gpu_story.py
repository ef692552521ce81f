"""One GPU over time, told by a monitor to the built-in rules: well, ill, unknown, and well again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tests.fakes.sweeps import gpu, sweep
from tests.support.rules import START, Host

from sickbay.core.conditions import Condition
from sickbay.core.signals import Signal, is_declared
from sickbay.host.nvml.readings import GpuSweep, Sweep, Value
from sickbay.host.rule_files import load_rules

RULES = load_rules().rules
NO_PERMISSION, NOT_SUPPORTED, TIMEOUT = 4, 3, 10

Judge = Callable[[Sweep, Sweep | None], tuple[Signal, ...]]


@dataclass(frozen=True, kw_only=True)
class Illness:
    """What one GPU reads when it is ill with something.

    `well` and `ill` are readings; `grows` are counters and what they gain a second while it is ill. `holds`
    is how long it takes to be told at most, `heals` how long to be gone; all spans in seconds.
    """

    type: str
    judge: Judge
    well: Mapping[str, Value] = field(default_factory=dict)
    ill: Mapping[str, Value] = field(default_factory=dict)
    grows: Mapping[str, int] = field(default_factory=dict)
    every: float = 10.0
    holds: float = 120.0
    heals: float = 900.0

    @property
    def readings(self) -> frozenset[str]:
        """The readings that it is told by."""
        return frozenset({*self.well, *self.ill, *self.grows})


@dataclass(kw_only=True)
class Story:
    """Sweeps of that GPU, one each `illness.every` seconds, long after boot."""

    illness: Illness
    host: Host = field(default_factory=lambda: Host(rules=RULES))
    now: float = 0.0
    before: Sweep | None = None
    counters: dict[str, int] = field(default_factory=dict)

    def well(self, seconds: float) -> set[str]:
        """Let it be well for so long; the types of what is open then."""
        return self._sweeps(seconds, lambda: gpu(**{**self.illness.well, **self.counters}))

    def ill(self, seconds: float) -> set[str]:
        """Let it be ill for so long."""
        return self._sweeps(
            seconds, lambda: gpu(**{**self.illness.well, **self.illness.ill, **self.counters}), grows=True
        )

    def unknown(self, seconds: float, code: int = TIMEOUT) -> set[str]:
        """Let the driver refuse every one of the readings for so long."""
        return self._sweeps(seconds, lambda: gpu(codes=dict.fromkeys(self.illness.readings, code)))

    @property
    def condition(self) -> Condition:
        """The one condition that is open."""
        (condition,) = self.host.state.conditions
        return condition

    def _sweeps(self, seconds: float, read: Callable[[], GpuSweep], *, grows: bool = False) -> set[str]:
        ends = self.now + seconds
        while self.now < ends:
            self.now += self.illness.every
            for name, rate in self.illness.grows.items():
                gain = int(rate * self.illness.every) if grows else 0
                self.counters[name] = self.counters.get(name, 0) + gain
            self._judge(replace(sweep(read()), at=START.later(self.now)))
        return self.host.types()

    def _judge(self, seen: Sweep) -> None:
        signals = self.illness.judge(seen, self.before)
        assert all(is_declared(signal) for signal in signals)
        self.host.see(*signals, at=self.now)
        self.before = seen
