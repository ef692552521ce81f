"""The rule sets of a cluster: that of our own files, those that agents run, and the way from one to the next.

What the machine of `sickbay.core.rollout` decides is kept first and handed out then. A set goes to so many
agents a second and no faster, so that a mistake that the stages let through is still seen before all have it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sickbay.coordinator.diagnosis import COORDINATOR
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.rule_members import member_of, members
from sickbay.coordinator.store import Batch, LedgerEntry, RuleSetRecord, Store, StoreError
from sickbay.core import rollout as machine
from sickbay.core.ids import NodeName
from sickbay.core.outcomes import Outcome
from sickbay.core.rollout import Phase, Plan, Rollout
from sickbay.core.rule_bundles import OWN, RuleBundle, RuleSetOffer
from sickbay.core.rules_views import RolloutChange
from sickbay.host.clock import Clock

_LOG = logging.getLogger(__name__)

_LOOK_EVERY = (0.2, 5.0)
"""Seconds between two looks at a roll-out that goes on, at least and at most; by its soak in between."""

_AT_ONCE = 20
_PAUSE = 0.1
"""So many agents are handed a set, then so many seconds nobody: 200 a second."""

_BETWEEN_LOOKS = 400
"""Agents handed a set before the roll-out is looked at again: it may have to hold by now."""

_LOOKED_AT = 200
"""Nodes looked at before others get their turn on the loop."""

NOBODY = NodeName("")
"""Whose line in the ledger it is that concerns no node."""


@dataclass(slots=True, kw_only=True)
class RuleSets:
    """Holds the sets and the roll-out. `known` are all that may still be handed out, by digest."""

    fleet: Fleet
    store: Store
    clock: Clock
    plan: Plan
    automatic: bool = False
    known: dict[str, RuleSetRecord] = field(default_factory=dict)
    rollout: Rollout = field(default_factory=Rollout)
    candidate: str = ""
    on_change: Callable[[], None] = lambda: None
    _asked: set[NodeName] = field(default_factory=set)
    _all_asked: bool = True
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _began: float | None = None

    async def take(self, bundle: RuleBundle) -> None:
        """Our own files as they are now, found good: what a roll-out hands out from its beginning on.

        Raises:
            StoreError: when it cannot be kept; then it is not the candidate.
        """
        digest, now = bundle.digest, self.clock.now().wall
        async with self._turn:
            if digest == self.candidate:
                return
            record = self.known.get(digest)
            if record is None:
                version = max((each.version for each in self.known.values()), default=0) + 1
                record = RuleSetRecord(digest=digest, version=version, at=now, bundle=bundle)
                await self.store.commit(Batch(rule_sets=(record,)))
            self.known[digest], self.candidate = record, digest
            await self._forget()
        _LOG.info("rule set %s, version %d, is ready to be rolled out", digest[:12], record.version)
        # What is held stays held, whoever restarts: only a person lets it go on.
        if self.automatic and digest != self.rollout.target and not self._runs_everywhere(digest):
            outcome = await self.change(
                RolloutChange.BEGIN, COORDINATOR, "the rules changed (rollout.automatic)"
            )
            _LOG.info("roll-out by itself: %s", outcome.detail)

    def look(self, state: NodeState) -> None:
        """An agent came, or said which rules it runs: see soon what it is to run."""
        if state.record.rules.takes:
            self._asked.add(state.name)
            self._woken.set()

    async def run(self) -> None:
        """Hand out what is due, for ever."""
        while True:
            try:
                await self._advance()
                await self._hand_out()
            except StoreError as error:
                _LOG.error("no rules are handed out while the store cannot be written: %s", error)
                await self.clock.sleep(_LOOK_EVERY[1])
            await self._pause()

    async def change(self, change: RolloutChange, who: str, why: str) -> Outcome:
        """What a person, or our own configuration, asks of the roll-out."""
        async with self._turn:
            before = self.rollout
            after = self._changed(change, why)
            if isinstance(after, Outcome):
                return after
            if after == before:
                return Outcome.done("nothing to change")
            if change is RolloutChange.BEGIN:
                self._ask_again(after)
            await self._keep(after, who, why or change.value)
        self._all_asked = True
        self._woken.set()
        return Outcome.done(self._standing())

    def describe(self, digest: str) -> str:
        """A set's name for people."""
        if digest == OWN:
            return "their own files"
        record = self.known.get(digest)
        return f"version {record.version} ({digest[:12]})" if record else digest[:12] or "what they have"

    # ---- inside ------------------------------------------------------------------------------------------

    def _changed(self, change: RolloutChange, why: str) -> Rollout | Outcome:
        match change:
            case RolloutChange.BEGIN:
                return self._going_on()
            case RolloutChange.HOLD if self.rollout.is_over:
                return Outcome.failed("no roll-out is under way")
            case RolloutChange.HOLD:
                return machine.held(self.rollout, why or "a person held it")
            case RolloutChange.ROLL_BACK if self.rollout.is_over and not self.rollout.base:
                return Outcome.failed("nothing was ever rolled out")
            case RolloutChange.ROLL_BACK:
                return machine.rolled_back(self.rollout, why or "a person rolled it back")

    def _going_on(self) -> Rollout | Outcome:
        now, nodes = self.clock.now().wall, self._members()
        if self.rollout.phase is Phase.HELD and self.rollout.target == self.candidate:
            return machine.resumed(self.rollout, self.plan, nodes, now)
        if self._runs_everywhere(self.candidate):
            return Outcome.done(f"the nodes are to run {self.describe(self.candidate)} already")
        if not nodes:
            return Outcome.failed("no node takes rules from here: rules_from: coordinator in its agent.yaml")
        return machine.begun(self.rollout, self.candidate, self.plan, nodes, now)

    def _runs_everywhere(self, digest: str) -> bool:
        return self.rollout.is_over and self.rollout.base == digest

    def _ask_again(self, after: Rollout) -> None:
        """What a person lets pass is asked once more: an agent may be newer, or its disk mended, by now."""
        for name in after.excused:
            state = self.fleet.get(name)
            if state is not None and state.record.rules.refused:
                rules = replace(state.record.rules, refused="", problems=())
                state.put_record(replace(state.record, rules=rules))
                state.offered = ""

    async def _advance(self) -> None:
        if self.rollout.phase is not Phase.ROLLING:
            return
        async with self._turn:
            before, now = self.rollout, self.clock.now().wall
            after = machine.advanced(before, self.plan, self._members(), now)
            if after == before:
                return
            await self._keep(after, COORDINATOR, after.why)
        self._all_asked |= (after.phase, after.stage) != (before.phase, before.stage)

    async def _keep(self, after: Rollout, who: str, why: str) -> None:
        """Durable first; only then does anybody act on it."""
        before = self.rollout
        entry = LedgerEntry(
            at=self.clock.now().wall,
            who=who,
            what=_what(before, after),
            node=NOBODY,
            why=why or after.why,
            before=_state(before),
            after=_state(after),
        )
        is_news = _state(before) != _state(after) or before.base != after.base
        await self.store.commit(Batch(rollout=after, ledger=(entry,) if is_news else ()))
        self.rollout = after
        if is_news:
            log = _LOG.warning if after.phase is Phase.HELD else _LOG.info
            log("rules: %s: %s", entry.what, self._standing())
            await self._forget()
        self.on_change()

    async def _forget(self) -> None:
        """Sets that nobody can be handed any more."""
        rollout = self.rollout
        wanted = {self.candidate, rollout.base, rollout.target, rollout.previous}
        # The latest version stays, so that no number is given twice.
        latest = max(self.known.values(), key=lambda each: each.version, default=None)
        gone = tuple(d for d, each in self.known.items() if d not in wanted and each is not latest)
        if gone:
            await self.store.commit(Batch(forgotten_sets=gone))
            for digest in gone:
                del self.known[digest]

    def _members(self) -> tuple[machine.Member, ...]:
        return members(self.fleet, self.clock.now(), self._start())

    def _start(self) -> float:
        if self._began is None:
            self._began = self.clock.now().mono
        return self._began

    async def _hand_out(self) -> None:
        """Offer to agents that asked what they are to run, a few at a time; the rest after a look."""
        if self._all_asked:
            self._all_asked, self._asked = False, set(self.fleet.nodes)
        handed = looked_at = 0
        while self._asked and handed < _BETWEEN_LOOKS:
            looked_at += 1
            if self._offer(self._asked.pop()):
                handed += 1
                if not handed % _AT_ONCE:
                    await self.clock.sleep(_PAUSE)
            elif not looked_at % _LOOKED_AT:
                await self.clock.sleep(0)

    def _offer(self, name: NodeName) -> bool:
        """Whether the node was handed a set. What was decided may have changed since it was asked for."""
        state = self.fleet.get(name)
        if state is None or state.session is None or not state.record.rules.takes:
            return False
        member = member_of(state, self.clock.now(), self._start())
        want = machine.due(self.rollout, self.plan, member)
        record = self.known.get(want)
        if not want or want == state.offered or (record is None and want != OWN):
            return False
        state.offered = want
        if record is None:
            state.session.offer_rules(RuleSetOffer(digest=""))
        else:
            offer = RuleSetOffer(digest=record.digest, version=record.version, bundle=record.bundle)
            state.session.offer_rules(offer)
        return True

    async def _pause(self) -> None:
        if self._asked:
            return
        waking = asyncio.ensure_future(self._woken.wait())
        least, most = _LOOK_EVERY
        sleeping = asyncio.ensure_future(self.clock.sleep(min(max(self.plan.soak / 4, least), most)))
        try:
            await asyncio.wait({waking, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            sleeping.cancel()
        self._woken.clear()

    def _standing(self) -> str:
        rollout = self.rollout
        if rollout.is_over:
            return f"the nodes are to run {self.describe(rollout.base)}"
        words = f"{self.describe(rollout.target)} is {rollout.phase.value} at stage {rollout.stage + 1} of "
        said = f"{words}{len(self.plan.stages)} ({machine.describe(rollout, self.plan)})"
        return f"{said}: {rollout.why}" if rollout.why else said


def _state(rollout: Rollout) -> str:
    if rollout.is_over:
        return f"{rollout.base[:12] or 'nothing'} everywhere"
    return f"{rollout.target[:12]} {rollout.phase.value} at stage {rollout.stage + 1}"


def _what(before: Rollout, after: Rollout) -> str:
    if after.phase is Phase.HELD:
        return "rules roll-out held"
    if after.is_over:
        return "rules rolled out" if after.base == before.target else "rules rolled back"
    return (
        "rules roll-out begun"
        if before.is_over or before.target != after.target
        else "rules roll-out goes on"
    )
