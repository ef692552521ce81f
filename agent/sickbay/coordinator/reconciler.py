"""Drives every node that needs it: one task a node, asleep until there is something to ask or to do.

The order of one pass: look at the scheduler; has a person taken the node back? is the fault still there? has
time run out? what is due? may it be done? — journal — do — absorb — journal. Between any two of these the
process may die, and the next one goes on from what is stored.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sickbay.coordinator import cases
from sickbay.coordinator.course import SOMEONE, Course
from sickbay.coordinator.effects import Effects, Task
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.scheduler_watch import SchedulerWatch
from sickbay.coordinator.situation import Situation, repairs_within
from sickbay.coordinator.store import StoreError
from sickbay.core.gates import Decision, decide
from sickbay.core.ids import NodeName
from sickbay.core.incidents import Incident
from sickbay.core.instants import format_duration
from sickbay.core.orchestration import NodeObservation, Ownership
from sickbay.core.orders import OrderKind
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Action, ActionKind, Remediation, Step, due, proposed
from sickbay.core.remediation_steps import absorbed, approved, begun, cancelled, held, merged, patient
from sickbay.core.remedies import Remedy, Rung, RungKind
from sickbay.host.clock import Clock

_LOG = logging.getLogger(__name__)

_STORE_PAUSE = 5.0
"""Seconds before a node is looked at again whose journal could not be written."""


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Brings nodes from their fault back to service. `look` asks for a node; `run` does the work."""

    fleet: Fleet
    effects: Effects
    watch: SchedulerWatch
    course: Course
    policy: Policy
    situation: Situation
    clock: Clock
    _wakes: dict[NodeName, asyncio.Event] = field(default_factory=dict)
    _asked: "asyncio.Queue[NodeName]" = field(default_factory=asyncio.Queue)

    def look(self, name: NodeName) -> None:
        """Look at a node soon. Returns at once; asking twice is asking once."""
        wake = self._wakes.get(name)
        if wake is None:
            self._wakes[name] = asyncio.Event()
            self._asked.put_nowait(name)
        else:
            wake.set()

    async def run(self) -> None:
        """Tend the nodes that need it, for ever."""
        for state in self.fleet:
            if state.is_at_work:
                self.look(state.name)
        async with asyncio.TaskGroup() as tending:
            while True:
                name = await self._asked.get()
                tending.create_task(self._tend(name), name=f"tend {name}")

    async def _tend(self, name: NodeName) -> None:
        wake = self._wakes[name]
        state = self.fleet.nodes[name]
        wait: float | None = 0.0
        while wait is not None or wake.is_set():
            wake.clear()
            wait = await self.pass_over(state)
            if wait is not None and not wake.is_set():
                await self._pause(wake, wait)
        del self._wakes[name]

    async def _pause(self, wake: asyncio.Event, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self.clock.sleep(seconds))
        waking = asyncio.ensure_future(wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def pass_over(self, state: NodeState) -> float | None:
        """One pass; returns in how many seconds the next is due, None when nothing is left to be done."""
        try:
            if state.active is None and state.is_quarantined:
                await self._await_person(state)
            if state.active is None or state.active.step is Step.PROPOSED:
                return await self._consider(state)
            return await self._advance(state, state.active)
        except StoreError as error:
            _LOG.error("%s: nothing is done while its journal cannot be written: %s", state.name, error)
            return _STORE_PAUSE

    async def _await_person(self, state: NodeState) -> None:
        """See whether a person has put the node in service again, or taken it."""
        seen = await self.watch.observed(state, self.policy.waiting_look_age)
        if state.is_quarantined and seen.is_taken_back:
            self.course.let_go(state, SOMEONE, f"the scheduler shows it {seen.state}: {seen.reason}")
            await self.fleet.commit(state)

    # ---- may something begin? ----------------------------------------------------------------------------

    async def _consider(self, state: NodeState) -> float | None:
        """Decide on every incident that nobody has taken up yet, and begin the remediation that may begin."""
        if not self._waiting(state) and state.active is None:
            return None
        seen = await self.watch.observed(state, self._opening_look_age(state))
        if self._settled(state, seen):
            await self.fleet.commit(state)
            return 0.0
        waiting = self._waiting(state)
        decided = [(incident, self._decide_opening(incident, state, seen)) for incident in waiting]
        self._begin(state, decided)
        await self.fleet.commit(state)
        if state.active is not None and state.active.step is not Step.PROPOSED:
            return 0.0
        may_change = any(self.policy.may_ever(incident) for incident, _ in decided)
        return self.policy.held if may_change or state.active is not None else None

    def _opening_look_age(self, state: NodeState) -> float:
        """Where nothing can begin, an explanation does not need a look of its own."""
        asks = state.active is not None or any(self.policy.may_ever(i) for i in self._waiting(state))
        can_begin = asks and not self.situation.standing(state, self.clock.now().wall).holds
        return self.policy.look_age if can_begin else self.policy.idle_look_age

    def _waiting(self, state: NodeState) -> Sequence[Incident]:
        """Open incidents that no remediation has taken up, or only proposed to; the furthest remedy first."""
        proposal = state.active.id if state.active is not None else None
        found = [i for i in state.open_incidents if i.remediation is None or i.remediation == proposal]
        return sorted(found, key=lambda i: (self.policy.strength.get(i.remedy, ()), i.id), reverse=True)

    def _decide_opening(self, incident: Incident, state: NodeState, seen: NodeObservation) -> Decision:
        now = self.clock.now()
        decision = decide(cases.opening(incident, state, seen, self.situation, now), now.wall)
        self.course.decided(state, incident, decision)
        return decision

    def _begin(self, state: NodeState, decided: Sequence[tuple[Incident, Decision]]) -> None:
        """What may act begins. Without such, what may be proposed is; the two never share a remediation.

        Nothing is awaited between the gates' answers and this: a place in a budget that was found free is
        taken before anybody else can ask for it.
        """
        now = self.clock.now().wall
        acting = [incident for incident, decision in decided if decision.allowed]
        rem = state.active
        if acting and rem is not None and not {i.id for i in acting}.issuperset(rem.incidents):
            self.course.moved(state, cancelled(rem, now, "overtaken by a fault that may be acted on"))
        chosen = acting or [i for i, decision in decided if self._is_proposed(i, decision)]
        for incident in chosen:
            self._take_up(state, incident)
        if acting and state.active is not None:
            self.course.moved(state, approved(state.active, now))

    def _is_proposed(self, incident: Incident, decision: Decision) -> bool:
        """Whether nothing but a person's word is missing, and nobody has said no."""
        now = self.clock.now().wall
        return decision.held_by == ("approval",) and not self.situation.is_denied(incident.id, now)

    def _take_up(self, state: NodeState, incident: Incident) -> None:
        """Into the node's remediation, or into a new one."""
        now = self.clock.now().wall
        remedy = self._remedy(state, incident, now)
        rem = state.active
        if rem is None:
            rem = proposed(
                node=state.name,
                incident=incident.id,
                boot=incident.boot_id,
                remedy=remedy,
                now=now,
            )
        self.course.moved(state, merged(rem, incident.id, remedy, now))
        self.course.taken_up(state, incident.id, rem.id)

    def _remedy(self, state: NodeState, incident: Incident, now: float) -> Remedy:
        """The incident's remedy; a person instead of it, when the node was repaired too often of late."""
        remedy = self.policy.remedy(incident.remedy)
        lately = repairs_within(state, remedy, now)
        if len(lately) < remedy.attempts.max:
            return remedy
        window = format_duration(remedy.attempts.window)
        return replace(
            remedy,
            ladder=(Rung(kind=RungKind.QUARANTINE),),
            about=f"{len(lately)} repairs within {window}: only a person may go on",
        )

    def _settled(self, state: NodeState, seen: NodeObservation) -> bool:
        """What is to become of a proposal whose faults are gone, or whose cordon may have happened."""
        rem = state.active
        if rem is None:
            return False
        now = self.clock.now().wall
        if rem.attempt is not None and seen.ownership is Ownership.OURS:
            # The cordon whose answer was lost is there: go on from it, if only to give the node back.
            self.course.moved(state, approved(rem, now))
            return True
        wanted = any(i.remediation == rem.id for i in state.open_incidents)
        if wanted or (rem.attempt is not None and seen.ownership is Ownership.UNKNOWN):
            return False
        self.course.moved(state, cancelled(rem, now, "the fault went away"))
        return True

    # ---- what is due? ------------------------------------------------------------------------------------

    async def _advance(self, state: NodeState, rem: Remediation) -> float:
        seen = await self.watch.observed(state, self._look_age(rem))
        if state.active is None:
            return 0.0
        self._join(state, seen)
        rem = self.course.steered(state, seen)
        now = self.clock.now().wall
        action = due(rem, now)
        if action is None:
            await self.fleet.commit(state)
            return max(rem.next_try_at - now, 0.0) if rem.is_active else 0.0
        task = Task(action=action, rem=rem, state=state)
        already = self.effects.already(task)
        if already is None and not self._may_be_done(task, seen):
            await self.fleet.commit(state)
            return self.policy.poll
        return await self._perform(task, already)

    def _look_age(self, rem: Remediation) -> float:
        action = due(rem, self.clock.now().wall)
        has_effect = action is not None and (action.kind.is_harmful or action.kind is ActionKind.RETURN)
        return self.policy.look_age if has_effect else self.policy.waiting_look_age

    def _join(self, state: NodeState, seen: NodeObservation) -> None:
        """Take aboard the node's other incidents, as far as the gates let them act."""
        if state.active is None or state.active.step in {Step.RETURNING, Step.VALIDATING}:
            return
        for incident in self._waiting(state):
            if incident.remediation is None and self._decide_opening(incident, state, seen).allowed:
                self._take_up(state, incident)

    def _may_be_done(self, task: Task, seen: NodeObservation) -> bool:
        """Whether it can be asked for at all, and the gates let it; what is held back waits."""
        out_of_reach = self.effects.out_of_reach(task)
        if out_of_reach:
            now = self.clock.now().wall
            task.state.remediation = held(task.rem, now, out_of_reach, poll=self.policy.poll)
            return False
        return not task.action.kind.is_harmful or self._allowed(task, seen)

    def _allowed(self, task: Task, seen: NodeObservation) -> bool:
        """Ask the gates, and keep their answers."""
        now = self.clock.now()
        case = cases.continuing(task.action, task.rem, task.state, seen, self.situation, now)
        decision = decide(case, now.wall)
        leading = cases.leading(task.rem, task.state, self.policy)
        if leading is not None:
            self.course.decided(task.state, leading, decision)
        if decision.allowed:
            return True
        self._hold(task, decision, now.wall)
        return False

    def _hold(self, task: Task, decision: Decision, now: float) -> None:
        """Wait. What waits for a person's word, or at it, does not run out of time by that."""
        rem = task.rem
        if self._is_patient(rem, decision, now) and rem.step is not Step.CORDONING:
            task.state.remediation = patient(rem, now, poll=self.policy.held)
            return
        after = held(rem, now, decision.why_held, poll=self.policy.poll)
        if after.step is rem.step:
            # Nothing worth storing: the next pass asks again, and so would the next coordinator.
            task.state.remediation = after
        else:
            self.course.moved(task.state, after)

    def _is_patient(self, rem: Remediation, decision: Decision, now: float) -> bool:
        waits = "approval" in decision.held_by and now - rem.step_since < self.policy.approval_wait
        return waits or any(gate in _HELD_BY_ORDER for gate in decision.held_by)

    async def _perform(self, task: Task, already: Outcome | None) -> float:
        """Journal, do, absorb, journal. A look needs no journal: nothing changes by it."""
        state = task.state
        begun_at = self.clock.now().wall
        rem = begun(task.rem, task.action, begun_at)
        if is_look(task.action):
            state.remediation = rem
        else:
            self.course.begun(state, rem)
            await self.fleet.commit(state)
        if state.remediation is not rem:
            return 0.0
        outcome = already or await self.effects.perform(Task(action=task.action, rem=rem, state=state))
        now = self.clock.now().wall
        if state.remediation is not rem:
            self.course.overtaken(state, task.action, outcome)
            await self.fleet.commit(state)
            return 0.0
        after = absorbed(rem, outcome, now, poll=self.policy.poll)
        self.course.absorbed(state, task.action, outcome, after)
        await self.fleet.commit(state)
        return max(after.next_try_at - now, 0.0)


_HELD_BY_ORDER = frozenset(kind.value for kind in OrderKind)
"""The gates that hold for as long as somebody, or a storm, says so."""


def is_look(action: Action) -> bool:
    """Whether the action only looks, so that doing it any number of times leaves nothing behind."""
    return action.kind in {ActionKind.AWAIT_DRAIN, ActionKind.AWAIT_REPAIR, ActionKind.VALIDATE}
