"""What people ask of the rules of a fleet: to see them, to roll them out, to let new built-in rules act."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sickbay.coordinator.diagnosis import diagnose
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.own_rules import OwnRules
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.rule_sets import NOBODY, RuleSets
from sickbay.coordinator.store import Batch, LedgerEntry, StoreError
from sickbay.core.ids import NodeName, RuleId
from sickbay.core.outcomes import Outcome
from sickbay.core.rollout import describe
from sickbay.core.rules_views import AwaitingRule, RefusedByNode, RolloutChange, RulesOnNodes, RulesView
from sickbay.host.clock import Clock
from sickbay.rpc.ports import Refused

_REFUSALS_SHOWN = 50


@dataclass(slots=True, kw_only=True)
class RuleOperations:
    """`RuleOperations` of sickbay.rpc.ports. `wake` asks for a look at a node; it returns at once."""

    own: OwnRules
    sets: RuleSets
    fleet: Fleet
    policy: Policy
    clock: Clock
    wake: Callable[[NodeName], None]

    async def rules(self) -> RulesView:
        """The rules of the fleet."""
        rollout, plan = self.sets.rollout, self.sets.plan
        candidate = self.sets.known.get(self.sets.candidate)
        return RulesView(
            candidate=self.sets.candidate,
            version=0 if candidate is None else candidate.version,
            rules=len(self.own.read.loaded.rules.rules),
            refused=self.own.refused,
            base=rollout.base,
            target=rollout.target,
            phase=rollout.phase.value,
            why=rollout.why,
            stage=0 if rollout.is_over else rollout.stage + 1,
            stages=len(plan.stages),
            stage_is=describe(rollout, plan),
            since=rollout.since,
            chosen=len(rollout.chosen),
            running=self._running(),
            refusals=self._refusals(),
            awaiting=tuple(
                AwaitingRule(rule=each.rule, mode=each.mode.value, changed=each.changed)
                for each in self.own.trust.awaiting
            ),
            not_taking=sum(not state.record.rules.takes for state in self.fleet),
        )

    async def change_rollout(self, change: RolloutChange, *, operator: str, reason: str) -> Outcome:
        """What a person asks of the roll-out."""
        try:
            return await self.sets.change(change, f"operator {operator or 'unknown'}", reason)
        except StoreError as error:
            raise Refused(str(error)) from error

    async def confirm_rules(self, rules: Sequence[RuleId], *, operator: str) -> Outcome:
        """Let these built-in rules act from now on, or all that wait for it."""
        waiting = {each.rule for each in self.own.trust.awaiting}
        if unknown := sorted(set(rules) - waiting):
            return Outcome.failed(f"not waiting to be confirmed: {', '.join(unknown)}")
        try:
            confirmed = await self.own.confirm(tuple(rules))
            names = ", ".join(each.rule for each in confirmed)
            if confirmed:
                await self._note(operator, names)
                await self.rejudge()
        except StoreError as error:
            raise Refused(str(error)) from error
        return Outcome.done(f"may act now: {names}" if confirmed else "no built-in rule waits")

    async def reload(self) -> None:
        """Our files again: good ones are in force here at once, and ready to be rolled out."""
        if await self.own.reload():
            await self.sets.take(self.own.read.bundle)
            await self.rejudge()

    async def rejudge(self) -> None:
        """What nodes say, taken by the rules and remedies as they are now."""
        now = self.clock.now().wall
        for state in tuple(self.fleet):
            if state.has_full_state and (state.conditions or state.open_incidents):
                diagnose(self.fleet, state, self.policy, now)
                await self.fleet.commit(state)
                self.wake(state.name)

    async def _note(self, operator: str, names: str) -> None:
        entry = LedgerEntry(
            at=self.clock.now().wall,
            who=f"operator {operator or 'unknown'}",
            what="built-in rules confirmed",
            node=NOBODY,
            why=names,
        )
        await self.fleet.store.commit(Batch(ledger=(entry,)))

    def _running(self) -> tuple[RulesOnNodes, ...]:
        nodes: Counter[str] = Counter()
        connected: Counter[str] = Counter()
        versions: dict[str, int] = {}
        for state in self.fleet:
            report = state.record.rules
            nodes[report.running] += 1
            connected[report.running] += state.session is not None
            versions[report.running] = report.version
        return tuple(
            RulesOnNodes(digest=digest, version=versions[digest], nodes=count, connected=connected[digest])
            for digest, count in nodes.most_common()
        )

    def _refusals(self) -> tuple[RefusedByNode, ...]:
        found = sorted((state for state in self.fleet if state.record.rules.refused), key=lambda s: s.name)
        return tuple(
            RefusedByNode(
                node=state.name, digest=state.record.rules.refused, problems=state.record.rules.problems
            )
            for state in found[:_REFUSALS_SHOWN]
        )
