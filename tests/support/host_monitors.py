"""A host monitor over a fixture tree and the built-in rules, looked at when a test says so."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.support.host_tree import HostTree
from tests.support.rules import START, Host

from sickbay.core.platforms import UNKNOWN_PLATFORM, PlatformProfile
from sickbay.core.rules import RuleSet
from sickbay.core.signals import Signal
from sickbay.host.host_settings import USUAL_SETTINGS, HostSettings
from sickbay.host.rule_files import load_rules
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.host_table import HOST_MONITORS
from sickbay.node.status import sight_of


@cache
def builtin_rules() -> RuleSet:
    return load_rules().rules


@dataclass
class MonitoredHost:
    """One monitor, read at the instants of a test. `at` is in seconds after START."""

    name: str
    tree: HostTree
    settings: HostSettings = USUAL_SETTINGS
    profile: PlatformProfile = UNKNOWN_PLATFORM
    read: Callable[[], Any] | None = None
    host: Host = field(default_factory=lambda: Host(rules=builtin_rules()))
    at: float = 0.0
    before: Any = None

    def __post_init__(self) -> None:
        self.monitor = HOST_MONITORS[self.name]
        self.read = self.read or self.monitor.reader(self.tree.root, self.settings)

    def look(self, at: float | None = None) -> tuple[Signal, ...]:
        """Read once, and let the rules have what is said; blindness is said as the agent says it."""
        self.at = self.at + self.monitor.every if at is None else at
        now = START.later(self.at)
        concerned = frozenset(condition.subject for condition in self.host.state.conditions)
        known = HostKnown(now=now, profile=self.profile, settings=self.settings, concerned=concerned)
        try:
            reading = self.read() if self.read is not None else None
        except OSError as error:
            self.host.see(sight_of(self.name, str(error), now))
            return ()
        carried = self.monitor.carry(reading, self.before, known)
        signals = self.monitor.judge(carried, self.before, known)
        self.before = carried
        self.host.see(sight_of(self.name, "", now), *signals)
        return signals

    def looks(self, seconds: float) -> None:
        """Look at the monitor's own interval for so long."""
        for _ in range(int(seconds / self.monitor.every) + 1):
            self.look()

    def types(self) -> set[str]:
        """The types of what is open."""
        return self.host.types()

    def forget(self) -> None:
        """The agent starts anew: what it remembered is gone, what was open is not."""
        self.before = None
        self.read = self.monitor.reader(self.tree.root, self.settings)


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A fault in a tree: how the host is well, how it is ill, and how long each takes to be believed."""

    monitor: str
    type: str
    well: Callable[[HostTree], object]
    ill: Callable[[HostTree], object]
    blind: Callable[[HostTree], object]
    opens: float
    clears: float
    profile: PlatformProfile = field(default_factory=PlatformProfile)

    def through(self, tree: HostTree) -> None:
        """Well, ill, unseen and well again: the condition opens, is kept while unseen, and clears."""
        host = MonitoredHost(self.monitor, tree, profile=self.profile)
        self.well(tree)
        host.looks(self.opens)
        assert host.types() == set()
        self.ill(tree)
        host.looks(self.opens)
        assert self.type in host.types()
        self.blind(tree)
        host.looks(self.clears)
        assert self.type in host.types()
        self.well(tree)
        host.looks(self.clears)
        assert host.types() == set()

    def through_blindness(self, tree: HostTree) -> None:
        """Well, unseen and well again: that opens no condition of the hardware."""
        host = MonitoredHost(self.monitor, tree, profile=self.profile)
        self.well(tree)
        host.looks(self.opens)
        self.blind(tree)
        host.looks(self.opens)
        assert host.types() <= {"MonitorDegraded"}
        self.well(tree)
        host.looks(self.opens)
        assert host.types() == set()


def fields(signals: Iterable[Signal], kind: str, name: str = "") -> dict[str, object]:
    """The fields of the one signal of a kind (and of a part)."""
    (found,) = (s for s in signals if s.kind == kind and (not name or s.subject.name == name))
    return dict(found.fields)
