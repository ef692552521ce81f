"""The decision loop: signals in, conditions out, to everyone who must know. All of it in one call.

Nothing here waits: the coordinator is told through a queue, the disk through another, and both after the
rules have spoken. The loop's watchdog is fed from this module's own turn, so it says that deciding works.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sickbay.core.conditions import Condition, Severity
from sickbay.core.devices import NODE, Inventory
from sickbay.core.facts import Facts, facts_of
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.messages import Event
from sickbay.core.platforms import NO_PLATFORMS, Platforms
from sickbay.core.reading_log import ReadingLog
from sickbay.core.rule_engine import Observation, observe, state_after_boot
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import RuleSet
from sickbay.core.signals import EventId, Signal
from sickbay.host.clock import Clock
from sickbay.host.spool import Spool
from sickbay.host.spool_store import Batch
from sickbay.node.metrics import Counters
from sickbay.node.reporting import Reporter
from sickbay.node.status import HostStatus, sight_of

if TYPE_CHECKING:
    from sickbay.node.trace_recorder import TraceRecorder

_LOG = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Judge:
    """Holds the rules and what they have open; `shown` is called when the host may look different now."""

    clock: Clock
    rules: RuleSet
    status: HostStatus
    spool: Spool
    reporter: Reporter
    counters: Counters
    shown: Callable[[], None]
    state: EngineState
    pool: str = ""
    platforms: Platforms = NO_PLATFORMS
    keep_readings: bool = True
    trace: "TraceRecorder | None" = None
    _facts: tuple[Inventory, Facts] | None = None
    _log: ReadingLog | None = None

    def begin(self) -> None:
        """Take up the state that an earlier process, or an earlier boot, left behind."""
        now = self.clock.now()
        if self.trace is not None:
            self.trace.began(now, self.status.identity.boot_id, self.facts, self.state)
        seen = state_after_boot(self.state, self.status.identity.boot_id, now)
        self.status.rules_digest = self.rules.digest
        self._absorb(seen, (), now=now, cursor=None, keep=True)
        self.take(())

    def take(
        self,
        signals: Sequence[Signal],
        *,
        cursor: int | None = None,
        inventory: Inventory | None = None,
    ) -> None:
        """Judge signals. `cursor`: the kernel record that they reach up to; `inventory`: what shows now."""
        now = self.clock.now()
        boot = self.status.identity.boot_id
        sights = [s for s in signals if s.kind != "monitor" or self.status.take_sight(s)]
        if self.trace is not None:
            self.trace.looked(now, sights, self.facts, self.state)
        seen = observe(self.rules, self.state, sights, now=now, boot_id=boot, facts=self.facts)
        self._absorb(seen, sights, now=now, cursor=cursor, inventory=inventory)

    @property
    def facts(self) -> Facts:
        """What rules may choose this node by, made anew when its inventory changes."""
        shown = self.status.known_inventory
        if self._facts is None or self._facts[0] != shown:
            made = facts_of(shown, node=self.status.identity.node, pool=self.pool, platforms=self.platforms)
            self._facts = (shown, made)
        return self._facts[1]

    def adopt(self, rules: RuleSet, platforms: Platforms | None = None) -> None:
        """Go on with other rules, and profiles where given; what no rule makes any more is cleared."""
        self.rules = rules
        if platforms is not None:
            self.platforms, self._facts = platforms, None
        self._log = None
        self.status.rules_digest = rules.digest
        self.take(())

    def forget(self, keys: Collection[tuple[str, str]]) -> None:
        """Parts whose monitor, seeing well, says no more of them are gone: so are their readings."""
        self.status.forget(keys)
        if self._log is not None:
            self._log.forget(keys)

    def sight(self, name: str, trouble: str) -> None:
        """A part of our own can see, or cannot, and why."""
        self.take((sight_of(name, trouble, self.clock.now()),))

    def learn(self, inventory: Inventory) -> None:
        """Keep what the host has while it is well, so that a GPU that goes missing is known by name.

        Less than before is never taken for the whole, whatever the conditions say.
        """
        baseline = self.status.baseline
        well = all(c.severity.rank < Severity.WARNING.rank for c in self.status.conditions)
        is_less = baseline is not None and bool(baseline.missing_from(inventory))
        if not well or is_less or not inventory.gpus or inventory == baseline:
            return
        self.status.baseline = inventory
        boot = self.status.identity.boot_id
        self.spool.append(Batch(boot_id=boot, baseline=inventory), now=self.clock.now().wall)

    def dropped(self, count: int) -> None:
        """The spool had to let go of history that nobody has; that itself is history."""
        now = self.clock.now()
        self.counters.events_dropped += count
        _LOG.error("the spool is full: %d events were dropped before a coordinator had them", count)
        identity = EventId(
            boot_id=self.status.identity.boot_id,
            source="spool",
            sequence=int(now.mono * 1e6),
        )
        self.take(
            (Signal(kind="spool_gap", subject=NODE, at=now, fields={"lost": count}, identity=identity),),
        )

    def _absorb(
        self,
        seen: Observation,
        signals: Sequence[Signal],
        *,
        now: Instant,
        cursor: int | None,
        inventory: Inventory | None = None,
        keep: bool = False,
    ) -> None:
        """Tell the coordinator first, then the disk, then those who look from time to time."""
        if self.trace is not None:
            self.trace.told(now, seen.conditions_changed)
        self.state = seen.state
        self.status.conditions = seen.state.conditions
        readings = self.status.take_readings(signals)
        if inventory is not None:
            self.status.inventory = inventory
        self.reporter.tell(
            now,
            changed=seen.conditions_changed,
            refreshed=seen.conditions_refreshed,
            readings=readings,
            inventory=inventory,
        )
        happened = [signal for signal in signals if signal.is_event]
        kept = [*happened, *self._worth_keeping(signals)]
        if keep or kept or seen.conditions_changed:
            self._keep(kept, seen.conditions_changed, now=now, cursor=cursor)
        if seen.conditions_changed or any(signal.kind == "monitor" for signal in signals):
            self.shown()
        self._count(happened, seen.conditions_changed)

    def _keep(
        self,
        kept: Sequence[Signal],
        changed: Sequence[Condition],
        *,
        now: Instant,
        cursor: int | None,
    ) -> None:
        boot = self.status.identity.boot_id
        events = (
            *(self._event(_name(signal, boot), signal.at.wall, signal) for signal in kept),
            *(self._event(_happening(condition), now.wall, condition) for condition in changed),
        )
        self.spool.append(Batch(boot_id=boot, events=events, cursor=cursor, state=self.state), now=now.wall)

    def _worth_keeping(self, signals: Sequence[Signal]) -> Sequence[Signal]:
        """Readings that say something new, for those who try other rules on this node's past."""
        if not self.keep_readings:
            return ()
        if self._log is None:
            self._log = ReadingLog.of(self.rules)
        return self._log.worth_keeping(signals)

    def _event(self, ident: str, at: float, what: Signal | Condition) -> Event:
        return Event(
            sequence=0,
            id=ident,
            at=at,
            boot_id=self.status.identity.boot_id,
            what=what,
            node=self.status.identity.node,
        )

    def _count(self, happened: Sequence[Signal], changed: Sequence[Condition]) -> None:
        for signal in happened:
            self.counters.count_event(signal)
        for condition in changed:
            _log(condition)
            # What was there before we were says how long we were away, not how fast we are.
            if condition.is_open and condition.t0 >= self.status.identity.started_at:
                self.counters.detection.observe(max(condition.t1 - condition.t0, 0.0))


def _name(signal: Signal, boot: BootId) -> str:
    """What an event goes by: its own identity, or for a reading what was read, and when."""
    if signal.identity is not None:
        return str(signal.identity)
    return f"{boot}/reading/{signal.kind}@{signal.subject.key}/{signal.at.mono:.3f}"


def _happening(condition: Condition) -> str:
    """The same text for the same change of the same condition, whoever tells of it."""
    told = (condition.status.value, condition.severity.value, condition.rule)
    return f"{condition.boot_id}/{condition.key}/{'/'.join(told)}/{condition.observed_at:.6f}"


def _log(condition: Condition) -> None:
    if not condition.is_open:
        _LOG.info("cleared: %s on %s: %s", condition.type, condition.subject.key, condition.message)
        return
    level = logging.WARNING if condition.severity.rank >= Severity.WARNING.rank else logging.INFO
    synthetic = " (injected)" if condition.synthetic else ""
    _LOG.log(
        level,
        "%s%s: %s (%s) on %s: %s; it clears %s",
        condition.severity.value,
        synthetic,
        condition.type,
        condition.reason,
        condition.subject.key,
        condition.message,
        condition.clears,
    )
