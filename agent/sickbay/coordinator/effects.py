"""Performs actions through the scheduler and the node's own agent, idempotent under the action's id.

Nothing is decided here. What cannot be told is `unknown`, and only a look at the world answers it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sickbay.coordinator.directives import Directives, Request
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.out_of_band import OutOfBand
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.scheduler_watch import SchedulerWatch
from sickbay.core.ids import ActionId, NodeName, RuleId
from sickbay.core.messages import Verb
from sickbay.core.orchestration import Mark, NodeObservation, Ownership
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remediation import Action, ActionKind, Remediation
from sickbay.core.remedies import RungKind
from sickbay.core.validation import Showing, judge
from sickbay.host.clock import Clock
from sickbay.orchestrators.protocol import Orchestrator


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One action of one remediation on one node."""

    action: Action
    rem: Remediation
    state: NodeState


Performer = Callable[[Task], Awaitable[Outcome]]
ThroughScheduler = Callable[[NodeName, Mark], Awaitable[Outcome]]


@dataclass(slots=True, kw_only=True)
class Effects:
    """Everything that the coordinator can do to a node, or await of it."""

    orchestrator: Orchestrator
    watch: SchedulerWatch
    directives: Directives
    out_of_band: OutOfBand
    policy: Policy
    clock: Clock
    _performers: Mapping[ActionKind, Performer] = field(init=False)

    def __post_init__(self) -> None:
        self._performers = {
            ActionKind.CORDON: self._cordon,
            ActionKind.AWAIT_DRAIN: self._await_drain,
            ActionKind.COLLECT_EVIDENCE: self._collect_evidence,
            ActionKind.RESTART_SERVICE: self._restart_service,
            ActionKind.RESET_GPU: self._reset_gpu,
            ActionKind.REBOOT: self._reboot,
            ActionKind.POWER_CYCLE: self._power_cycle,
            ActionKind.AWAIT_REPAIR: self._await_repair,
            ActionKind.VALIDATE: self._validate,
            ActionKind.RETURN: self._return,
        }

    async def perform(self, task: Task) -> Outcome:
        """Do it, or look; the same action again changes nothing that it has changed before."""
        return await self._performers[task.action.kind](task)

    def already(self, task: Task) -> Outcome | None:
        """DONE when what the action is for is so already, by whatever hand."""
        state = task.state
        match task.action.kind:
            case ActionKind.CORDON if task.rem.attempt is not None:
                seen = state.observation
                ours = seen is not None and seen.ownership is Ownership.OURS
                return Outcome.done("the cordon is there") if ours else None
            case ActionKind.REBOOT | ActionKind.POWER_CYCLE if _is_booted(task):
                return Outcome.done(f"the node runs a new boot already: {state.boot_id}")
            case _:
                return None

    def out_of_reach(self, task: Task) -> str:
        """Why the action cannot even be asked for now, so that it does not count as tried; empty: it can."""
        kind = task.action.kind
        needs_agent = kind in _BY_THE_AGENT or (
            kind is ActionKind.REBOOT
            and not self.out_of_band.plan.reboot
            and not self.orchestrator.can_reboot
        )
        return "the agent is not connected" if needs_agent and task.state.session is None else ""

    async def _cordon(self, task: Task) -> Outcome:
        return await self._through_scheduler(task, self.orchestrator.cordon)

    async def _through_scheduler(self, task: Task, verb: ThroughScheduler) -> Outcome:
        """One change in the scheduler, unless a person has ended the remediation by now."""
        state = task.state
        async with state.effecting:
            if state.remediation is not task.rem:
                return Outcome.failed("the remediation was ended before this was done")
            outcome = await verb(state.name, self._mark(task))
            state.touch(self.clock.now().mono)
        return outcome

    async def _await_drain(self, task: Task) -> Outcome:
        if not task.rem.waits_for_drain:
            return Outcome.done("the repair disturbs no job")
        seen = await self.watch.observed(task.state, self.policy.waiting_look_age)
        match seen.drained:
            case True:
                return Outcome.done("no job is left")
            case False:
                running = len(seen.jobs or ())
                return Outcome.retry(
                    f"{running} job(s) still there" if running else f"not drained: {seen.state}"
                )
            case None:
                return Outcome.unknown(seen.detail or f"the scheduler cannot say ({seen.state})")

    async def _collect_evidence(self, task: Task) -> Outcome:
        request = self._request(task, Verb.COLLECT_EVIDENCE, deadline=task.rem.remedy.deadlines.evidence)
        return await self.directives.ask(task.state, request)

    async def _restart_service(self, task: Task) -> Outcome:
        request = self._request(
            task, Verb.RESTART_SERVICE, deadline=self.policy.reply, target=task.action.service
        )
        return await self.directives.ask(task.state, request)

    async def _reset_gpu(self, task: Task) -> Outcome:
        """Reset every GPU that has a fault; a fault that names none is not mended by a reset."""
        known = [task.state.incidents.get(ident) for ident in task.rem.incidents]
        gpus = sorted({incident.subject.pci for incident in known if incident is not None})
        if len(known) != sum(incident is not None for incident in known) or not all(gpus):
            return Outcome.failed("a fault names no GPU by its PCI address, so none can be reset for it")
        request = self._request(task, Verb.RESET_GPU, deadline=self.policy.reply, target=",".join(gpus))
        return await self.directives.ask(task.state, request)

    async def _reboot(self, task: Task) -> Outcome:
        ways = self.out_of_band.plan.reboot
        if ways:
            return await self.out_of_band.perform(task.action, task.rem, task.state, ways)
        if not self.orchestrator.can_reboot:
            request = self._request(task, Verb.REBOOT, deadline=self.policy.reply)
            return await self.directives.ask(task.state, request)
        return await self._through_scheduler(task, self.orchestrator.reboot)

    async def _power_cycle(self, task: Task) -> Outcome:
        ways = self.out_of_band.plan.power_cycle
        return await self.out_of_band.perform(task.action, task.rem, task.state, ways)

    async def _await_repair(self, task: Task) -> Outcome:
        state = task.state
        takes_boot = task.rem.rung_kind not in _ON_THE_SAME_BOOT
        if state.session is None:
            return Outcome.retry("the agent is not connected")
        if takes_boot and state.boot_id == task.action.boot_before:
            return Outcome.retry("the agent has not said hello on a new boot yet")
        seen = await self.watch.observed(state, self.policy.look_age)
        if seen.ownership is not Ownership.OURS:
            return Outcome.unknown(f"the scheduler does not show our hold: {seen.detail or seen.state}")
        if not takes_boot and state.boot_id == task.action.boot_before:
            return Outcome.done("the agent saw the repair done, on the same boot")
        # A boot can loosen a scheduler's hold (Slurm's ReturnToService): tighten it before anything else.
        renewed = await self._through_scheduler(task, self.orchestrator.cordon)
        if renewed.verdict is not Verdict.DONE:
            return Outcome.retry(f"booted, but the cordon could not be renewed: {renewed.detail}")
        return Outcome.done(f"the agent is back on boot {state.boot_id}")

    async def _validate(self, task: Task) -> Outcome:
        seen = await self.watch.observed(task.state, self.policy.waiting_look_age)
        swept = await self._swept(task)
        return judge(self._showing(task, seen, swept=swept))

    async def _swept(self, task: Task) -> bool:
        """Whether the agent has read everything since this validation began; asks it to, once."""
        state = task.state
        sweep = ActionId(f"{task.action.id}/sweep-{task.rem.step_since:.0f}")
        if state.swept == sweep:
            return True
        if not state.has_full_state:
            return False
        request = self._request(task, Verb.SWEEP, deadline=self.policy.reply, action=sweep)
        outcome = await self.directives.ask(state, request)
        if outcome.verdict is Verdict.DONE and state.has_full_state:
            state.swept = sweep
        return state.swept == sweep

    async def _return(self, task: Task) -> Outcome:
        outcome = await self._through_scheduler(task, self.orchestrator.return_to_service)
        if outcome.verdict is not Verdict.DONE:
            return outcome
        seen = await self.watch.observed(task.state, self.policy.look_age)
        if seen.schedulable is None:
            return Outcome.unknown(f"returned, but the scheduler cannot say so: {seen.detail}")
        return outcome if seen.schedulable else Outcome.retry(f"returned, but still {seen.state}")

    def _showing(self, task: Task, seen: NodeObservation, *, swept: bool) -> Showing:
        state = task.state
        known = (state.incidents.get(ident) for ident in task.rem.incidents)
        incidents = [incident for incident in known if incident is not None]
        return Showing(
            after=task.action.after,
            boot_before=task.action.boot_before,
            boot_now=state.boot_id,
            told_all=state.has_full_state,
            swept=swept,
            baseline=state.record.baseline,
            inventory=state.inventory,
            answered_before=state.record.recovery_action_known,
            recovery=_recovery(state),
            conditions=tuple(state.conditions.values()),
            families=frozenset(incident.family for incident in incidents),
            gpus=frozenset(incident.subject.pci for incident in incidents if incident.subject.pci),
            scheduler=seen,
        )

    def _mark(self, task: Task) -> Mark:
        """Our signature: the incident under which the node is held, else the first of the remediation."""
        seen = task.state.observation
        hold = None if seen is None else seen.hold
        first = task.rem.incidents[0]
        known = task.state.incidents.get(first)
        return Mark(
            incident=first if hold is None else hold.incident,
            rule=hold.rule if hold is not None else RuleId("unknown") if known is None else known.rule,
            action_id=task.action.id,
            term=self.policy.term,
        )

    def _request(
        self,
        task: Task,
        verb: Verb,
        *,
        deadline: float,
        action: ActionId | None = None,
        target: str = "",
    ) -> Request:
        return Request(
            verb=verb,
            action=action or task.action.id,
            term=self.policy.term,
            deadline=deadline,
            target=task.rem.incidents[0] if verb is Verb.COLLECT_EVIDENCE else target,
            boot=task.action.boot_before if task.action.kind.is_destructive else None,
        )


_BY_THE_AGENT = frozenset({ActionKind.COLLECT_EVIDENCE, ActionKind.RESTART_SERVICE, ActionKind.RESET_GPU})
_ON_THE_SAME_BOOT = frozenset({RungKind.RESTART_SERVICE, RungKind.RESET_GPU})


def _is_booted(task: Task) -> bool:
    """Whether the node runs another boot than the one that the repair had to end."""
    return task.state.session is not None and task.state.boot_id != task.action.boot_before


def _recovery(state: NodeState) -> Mapping[str, str | None]:
    """What the driver asks for, by PCI address; None where it does not say."""
    asked: dict[str, str | None] = {}
    for (kind, _), signal in state.readings.items():
        if kind == "recovery_action":
            said = signal.fields.get("action")
            asked[signal.subject.pci] = said if isinstance(said, str) else None
    return asked
