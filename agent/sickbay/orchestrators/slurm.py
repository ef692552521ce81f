"""Slurm, with the manners of a careful operator: its own reasons, its own drains, nobody else's.

Slurm has no compare-and-set. Each verb looks, acts only if what it saw allows it, and looks again; a person
who drains the same node within those few milliseconds may have the reason overwritten. Nothing can be done
about it from outside slurmctld, and the second look makes it seen.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import Job, Mark, NodeObservation, Ownership, RebootProgress, unobserved
from sickbay.core.outcomes import Outcome
from sickbay.core.remedies import Drain
from sickbay.host.clock import Clock
from sickbay.host.commands import CommandRunner
from sickbay.orchestrators.fence import TermFence
from sickbay.orchestrators.slurm_client import SlurmClient, SlurmSettings, Trouble
from sickbay.orchestrators.slurm_states import OurReason, SlurmNode, judge
from sickbay.orchestrators.slurm_text import NodeRecord


@dataclass(slots=True, kw_only=True)
class Slurm:
    """An `Orchestrator` over `scontrol` and `squeue`. What it must remember stands in the node's reason."""

    settings: SlurmSettings
    commands: CommandRunner
    clock: Clock
    name: str = "slurm"
    _fence: TermFence = field(default_factory=TermFence)

    @property
    def can_reboot(self) -> bool:
        """Through RebootProgram, unless the site said otherwise."""
        return self.settings.reboots

    async def observe(self, node: NodeName) -> NodeObservation:
        """See `Orchestrator.observe`."""
        return (await self._look_with_jobs(node)).observation

    async def observe_all(self, nodes: Sequence[NodeName]) -> Mapping[NodeName, NodeObservation]:
        """See `Orchestrator.observe_all`."""
        records, jobs = await asyncio.gather(self._client.nodes(), self._client.jobs())
        at = self.clock.now().wall
        if isinstance(records, Trouble):
            return {node: unobserved(node, at=at, detail=records.detail) for node in nodes}
        running = None if isinstance(jobs, Trouble) else _by_node(jobs)
        seen: dict[NodeName, NodeObservation] = {}
        for node in nodes:
            record = records.get(node)
            if record is None:
                seen[node] = unobserved(node, at=at, detail=f"Slurm knows no node {node}")
                continue
            here = None if running is None else running.get(node, ())
            seen[node] = judge(record, here, at=at, prefix=self.settings.prefix).observation
        return seen

    async def jobs(self, node: NodeName) -> tuple[Job, ...] | None:
        """See `Orchestrator.jobs`."""
        jobs = await self._client.jobs(node)
        return None if isinstance(jobs, Trouble) else jobs

    async def cordon(self, node: NodeName, mark: Mark) -> Outcome:
        """Drain in Slurm's sense: no new job, the running ones go on."""
        refusal = self._fence.refusal(mark)
        if refusal is not None:
            return refusal
        seen = await self._look(node)
        match seen.observation.ownership:
            case Ownership.OURS if seen.ours is not None:
                return await self._renewed(node, seen, seen.ours)
            case Ownership.NONE if not seen.observation.obstacle:
                trouble = await self._client.update(node, "state=drain", f"reason={mark.reason}")
                return _cordoned(await self._look(node), trouble)
            case _:
                return _not_ours(seen.observation)

    async def drain(self, node: NodeName, mark: Mark, spec: Drain) -> Outcome:
        """The same as `cordon`: Slurm empties a drained node by itself. `spec` is for the one who waits."""
        del spec
        return await self.cordon(node, mark)

    async def reboot(self, node: NodeName, mark: Mark) -> Outcome:
        """See `Orchestrator.reboot`; Slurm's RebootProgram does it."""
        if not self.can_reboot:
            return Outcome.failed("reboots are not Slurm's to do here: the node's agent does them")
        refusal = self._fence.refusal(mark)
        if refusal is not None:
            return refusal
        seen = await self._look_with_jobs(node)
        if seen.ours is None or not mark.holds(seen.ours.hold):
            return _not_ours(seen.observation)
        answer = _rebooted_before(seen, seen.ours, mark) or _unfit_for_reboot(seen)
        return answer or await self._reboot(node, seen.ours, mark)

    async def return_to_service(self, node: NodeName, mark: Mark) -> Outcome:
        """See `Orchestrator.return_to_service`; RESUME clears DRAIN, DOWN and the reason."""
        refusal = self._fence.refusal(mark)
        if refusal is not None:
            return refusal
        seen = await self._look(node)
        if seen.observation.ownership is Ownership.NONE:
            return _in_service(seen)
        if seen.ours is None or not mark.holds(seen.ours.hold):
            return _not_ours(seen.observation)
        if seen.is_rebooting:
            return Outcome.retry(f"{node} is {seen.observation.state}: a RESUME would call off the reboot")
        trouble = await self._client.update(node, "state=resume")
        return _returned(await self._look(node), trouble)

    async def hold(self, node: NodeName, reason: str) -> Outcome:
        """See `Orchestrator.hold`."""
        seen = await self._look(node)
        if seen.observation.ownership is Ownership.UNKNOWN:
            return _not_ours(seen.observation)
        if seen.observation.ownership is Ownership.FOREIGN:
            return _held_by_hand(seen, None)
        trouble = await self._client.update(node, "state=drain", f"reason={' '.join(reason.split())}")
        return _held_by_hand(await self._look(node), trouble)

    async def release(self, node: NodeName) -> Outcome:
        """See `Orchestrator.release`; a reboot that is under way is not called off by it."""
        seen = await self._look(node)
        if seen.observation.ownership in {Ownership.NONE, Ownership.UNKNOWN}:
            return _in_service(seen)
        if seen.is_rebooting:
            return Outcome.retry(f"{node} is {seen.observation.state}: a RESUME would call off the reboot")
        trouble = await self._client.update(node, "state=resume")
        after = await self._look(node)
        if after.observation.ownership is Ownership.NONE:
            return _in_service(after)
        return _unchanged(after, trouble, f"{node} is still {after.observation.state}")

    @property
    def _client(self) -> SlurmClient:
        return SlurmClient(self.settings, self.commands)

    async def _look(self, node: NodeName) -> SlurmNode:
        """Without the jobs: quicker, and never drained."""
        return self._judged(node, await self._client.node(node), None)

    async def _look_with_jobs(self, node: NodeName) -> SlurmNode:
        record, jobs = await asyncio.gather(self._client.node(node), self._client.jobs(node))
        return self._judged(node, record, None if isinstance(jobs, Trouble) else jobs)

    def _judged(
        self, node: NodeName, record: NodeRecord | Trouble, jobs: tuple[Job, ...] | None
    ) -> SlurmNode:
        at = self.clock.now().wall
        if isinstance(record, Trouble):
            return SlurmNode(observation=unobserved(node, at=at, detail=record.detail))
        return judge(record, jobs, at=at, prefix=self.settings.prefix)

    async def _renewed(self, node: NodeName, seen: SlurmNode, ours: OurReason) -> Outcome:
        """Drain anew what a boot left merely DOWN, so that ReturnToService=2 does not give it back."""
        if seen.is_rebooting:
            # The boot will clear DRAIN, so whoever renews the hold after a reboot has to come again.
            return Outcome.retry(f"{node} is ours, and {seen.observation.state}: wait for the boot")
        if not seen.is_loose:
            return Outcome.done(f"{node} is ours already: {seen.observation.reason}")
        trouble = await self._client.update(node, "state=drain", f"reason={ours.renewed}")
        return _cordoned(await self._look(node), trouble)

    async def _reboot(self, node: NodeName, ours: OurReason, mark: Mark) -> Outcome:
        """Sign it first: if we die in between, the sign without a reboot flag says that it did not happen."""
        reason = ours.about_to_reboot(mark.tag)
        trouble = await self._client.update(node, "state=drain", f"reason={reason}")
        signed = await self._look(node)
        if signed.ours is None or signed.ours.tag != mark.tag:
            return _unchanged(signed, trouble, f"{node} could not be marked before its reboot")
        trouble = await self._client.reboot(node)
        after = await self._look(node)
        if after.observation.reboot is RebootProgress.NONE:
            return _unchanged(after, trouble, f"Slurm took no reboot of {node}")
        return Outcome.done(f"reboot asked of Slurm: {after.observation.state}")


def _by_node(jobs: tuple[Job, ...]) -> Mapping[NodeName, tuple[Job, ...]]:
    places: defaultdict[NodeName, tuple[Job, ...]] = defaultdict(tuple)
    for job in jobs:
        for node in job.nodes:
            places[node] += (job,)
    return places


def _not_ours(seen: NodeObservation) -> Outcome:
    """Why we keep our hands off."""
    match seen.ownership:
        case Ownership.UNKNOWN:
            return Outcome.unknown(seen.detail)
        case Ownership.OURS:
            return Outcome.failed(f"{seen.node} is held for another incident of ours: {seen.reason}")
        case Ownership.FOREIGN:
            return Outcome.failed(f"{seen.node} is {seen.state} by someone else, left alone: {seen.reason}")
        case Ownership.NONE:
            what = f"{seen.obstacle}: hands off" if seen.obstacle else f"{seen.state} and not held by us"
            return Outcome.failed(f"{seen.node} is {what}")


def _cordoned(seen: SlurmNode, trouble: Trouble | None) -> Outcome:
    if seen.ours is not None and seen.has("DRAIN"):
        return Outcome.done(f"{seen.observation.state}: {seen.observation.reason}")
    if seen.observation.ownership is Ownership.FOREIGN:
        return _not_ours(seen.observation)
    return _unchanged(seen, trouble, f"{seen.observation.node} is not drained")


def _held_by_hand(seen: SlurmNode, trouble: Trouble | None) -> Outcome:
    if seen.observation.ownership is Ownership.FOREIGN:
        return Outcome.done(f"{seen.observation.state}: {seen.observation.reason}")
    return _unchanged(seen, trouble, f"{seen.observation.node} is not drained")


def _rebooted_before(seen: SlurmNode, ours: OurReason, mark: Mark) -> Outcome | None:
    """What became of this very reboot, or of one that is under way; None: it did not happen yet."""
    if seen.is_rebooting:
        return Outcome.done(f"a reboot is under way: {seen.observation.state}")
    if ours.tag != mark.tag or ours.progress is RebootProgress.NONE:
        return None
    if ours.progress is RebootProgress.TIMED_OUT:
        return Outcome.failed(f"Slurm gave up waiting (ResumeTimeout): {seen.observation.reason}")
    return Outcome.done(f"rebooted: {seen.observation.reason}")


def _unfit_for_reboot(seen: SlurmNode) -> Outcome | None:
    node = seen.observation
    if node.obstacle:
        return Outcome.retry(f"{node.node} is {node.obstacle}: hands off")
    if not node.drained:
        return Outcome.retry(f"{node.node} is not drained: {node.detail or node.state}")
    if seen.has("NOT_RESPONDING"):
        return Outcome.retry(f"slurmd on {node.node} does not answer, and it is what runs RebootProgram")
    return None


def _in_service(seen: SlurmNode) -> Outcome:
    node = seen.observation
    if node.schedulable is True:
        return Outcome.done(f"{node.node} is in service: {node.state}")
    if node.ownership is Ownership.UNKNOWN:
        return Outcome.unknown(node.detail)
    return Outcome.retry(f"{node.node} is {node.state}: not ready for jobs yet")


def _returned(seen: SlurmNode, trouble: Trouble | None) -> Outcome:
    if seen.observation.ownership is Ownership.NONE:
        return _in_service(seen)
    if seen.has("INVALID_REG"):
        why = "it registers with less than slurm.conf says"
        return Outcome.failed(f"Slurm will not take {seen.observation.node} back: {why}")
    if seen.observation.ownership is Ownership.FOREIGN:
        return _not_ours(seen.observation)
    return _unchanged(seen, trouble, f"{seen.observation.node} is still {seen.observation.state}")


def _unchanged(seen: SlurmNode, trouble: Trouble | None, what: str) -> Outcome:
    """An effect that the second look does not show."""
    if seen.observation.ownership is Ownership.UNKNOWN:
        return Outcome.unknown(f"{what}: {trouble.detail if trouble else seen.observation.detail}")
    if trouble is None:
        return Outcome.retry(f"{what}, though Slurm took the call")
    return Outcome.failed(trouble.detail) if trouble.is_final else Outcome.retry(f"{what}: {trouble.detail}")
