"""A scheduler in memory: nodes, jobs that end, persons who interfere, replies that are lost.

It passes the same contract suite as the real ones, so a test of ours that runs on it may be believed. Time
is whatever its clock says; nothing happens in it but when it is asked.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sickbay.core.ids import ActionId, NodeName
from sickbay.core.orchestration import (
    DEFAULT_PREFIX,
    Job,
    Mark,
    NodeObservation,
    Ownership,
    RebootProgress,
    read_hold,
    unobserved,
)
from sickbay.core.outcomes import Outcome
from sickbay.core.remedies import Drain
from sickbay.host.clock import Clock
from sickbay.orchestrators.fence import TermFence

FOREVER = float("inf")


class Fault(Enum):
    """What goes wrong with one call of a verb.

    REPLY_LOST: the effect happens and the caller hears "unknown". REFUSED: no effect, "failed". NO_ANSWER: no
    effect, "unknown".
    """

    REPLY_LOST = "reply_lost"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A change that really happened."""

    verb: str
    node: NodeName
    action_id: ActionId
    at: float


@dataclass(slots=True)
class FakeNode:
    """One node's record. `reason` is empty in service; times are Unix seconds."""

    reason: str = ""
    jobs: dict[str, float] = field(default_factory=dict)
    reboot: RebootProgress = RebootProgress.NONE
    reboot_action: ActionId | None = None
    boots_at: float = FOREVER
    reboots: int = 0


@dataclass(slots=True, kw_only=True)
class FakeOrchestrator:
    """An `Orchestrator`. `on_reboot` is called when a node goes down; it is up after `boot_seconds`."""

    clock: Clock
    names: Sequence[NodeName]
    can_reboot: bool = True
    boot_seconds: float = FOREVER
    on_reboot: Callable[[NodeName], None] | None = None
    name: str = "fake"
    prefix: str = DEFAULT_PREFIX
    looks_fail: bool = False
    effects: list[Effect] = field(default_factory=list)
    nodes: dict[NodeName, FakeNode] = field(default_factory=dict)
    _faults: defaultdict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _fence: TermFence = field(default_factory=TermFence)
    _jobs_begun: int = 0

    def __post_init__(self) -> None:
        self.nodes = {name: FakeNode() for name in self.names}

    # -- what tests do to it ---------------------------------------------------------------------------

    def will(self, verb: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` calls of `verb` go wrong."""
        self._faults[verb].extend([fault] * times)

    def start_job(self, node: NodeName, *, seconds: float = FOREVER) -> str:
        """A job that runs there for so long; only on a node in service."""
        assert not self._now(node).reason, f"{node} takes no job"
        self._jobs_begun += 1
        self.nodes[node].jobs[str(self._jobs_begun)] = self._time() + seconds
        return str(self._jobs_begun)

    def end_job(self, node: NodeName, job: str) -> None:
        """The job ends now."""
        del self.nodes[node].jobs[job]

    def person_drains(self, node: NodeName, reason: str) -> None:
        """A person takes the node out, over whatever reason it had."""
        self.nodes[node].reason = reason

    def person_resumes(self, node: NodeName) -> None:
        """A person puts the node in service, whoever had taken it out; a reboot not begun is called off."""
        record = self._now(node)
        record.reason = ""
        record.reboot = RebootProgress.NONE
        record.reboot_action = None

    def finish_reboot(self, node: NodeName) -> None:
        """The machine comes up now."""
        self.nodes[node].boots_at = self._time()

    # -- the contract ----------------------------------------------------------------------------------

    async def observe(self, node: NodeName) -> NodeObservation:
        """See `Orchestrator.observe`."""
        if self.looks_fail or node not in self.nodes:
            why = "the scheduler does not answer" if self.looks_fail else f"no node {node}"
            return unobserved(node, at=self._time(), detail=why)
        record = self._now(node)
        hold = read_hold(record.reason, prefix=self.prefix) if record.reason else None
        is_rebooting = record.reboot in {RebootProgress.REQUESTED, RebootProgress.ISSUED}
        return NodeObservation(
            node=node,
            at=self._time(),
            ownership=self._owner(record),
            schedulable=not record.reason,
            drained=None if is_rebooting else bool(record.reason) and not record.jobs,
            hold=hold,
            reason=record.reason,
            state="drained" if record.reason else "in service",
            jobs=tuple(Job(id=job, nodes=(node,)) for job in record.jobs),
            reboot=record.reboot,
        )

    async def observe_all(self, nodes: Sequence[NodeName]) -> Mapping[NodeName, NodeObservation]:
        """See `Orchestrator.observe_all`."""
        return {node: await self.observe(node) for node in nodes}

    async def jobs(self, node: NodeName) -> tuple[Job, ...] | None:
        """See `Orchestrator.jobs`."""
        return (await self.observe(node)).jobs

    async def cordon(self, node: NodeName, mark: Mark) -> Outcome:
        """See `Orchestrator.cordon`."""
        return self._attempt("cordon", node, mark, self._cordon)

    async def drain(self, node: NodeName, mark: Mark, spec: Drain) -> Outcome:
        """See `Orchestrator.drain`."""
        del spec
        return self._attempt("drain", node, mark, self._cordon)

    async def reboot(self, node: NodeName, mark: Mark) -> Outcome:
        """See `Orchestrator.reboot`."""
        if not self.can_reboot:
            return Outcome.failed("not the scheduler's to do")
        return self._attempt("reboot", node, mark, self._reboot)

    async def return_to_service(self, node: NodeName, mark: Mark) -> Outcome:
        """See `Orchestrator.return_to_service`."""
        return self._attempt("return_to_service", node, mark, self._return)

    async def hold(self, node: NodeName, reason: str) -> Outcome:
        """See `Orchestrator.hold`."""
        record = self._now(node)
        if self._owner(record) is not Ownership.FOREIGN:
            record.reason = reason
        return Outcome.done(record.reason)

    async def release(self, node: NodeName) -> Outcome:
        """See `Orchestrator.release`."""
        if self._now(node).reboot is RebootProgress.ISSUED:
            return Outcome.retry("rebooting")
        self.person_resumes(node)
        return Outcome.done("in service")

    # -- inside ----------------------------------------------------------------------------------------

    def _attempt(
        self, verb: str, node: NodeName, mark: Mark, effect: Callable[[NodeName, Mark], Outcome]
    ) -> Outcome:
        refusal = self._fence.refusal(mark)
        if refusal is not None:
            return refusal
        fault = self._faults[verb].popleft() if self._faults[verb] else None
        if fault is Fault.REFUSED:
            return Outcome.failed("refused")
        if fault is Fault.NO_ANSWER or self.looks_fail or node not in self.nodes:
            return Outcome.unknown("the scheduler does not answer")
        outcome = effect(node, mark)
        return Outcome.unknown("the reply was lost") if fault is Fault.REPLY_LOST else outcome

    def _cordon(self, node: NodeName, mark: Mark) -> Outcome:
        record = self._now(node)
        if self._owner(record) is Ownership.FOREIGN:
            return Outcome.failed(f"held by someone else: {record.reason}")
        if record.reboot is RebootProgress.ISSUED:
            return Outcome.retry("rebooting")
        if not record.reason:
            record.reason = mark.reason
            self._note("cordon", node, mark)
        return Outcome.done(record.reason)

    def _reboot(self, node: NodeName, mark: Mark) -> Outcome:
        record = self._now(node)
        if not mark.holds(read_hold(record.reason, prefix=self.prefix)):
            return Outcome.failed(f"not held for this incident: {record.reason}")
        if record.reboot in {RebootProgress.REQUESTED, RebootProgress.ISSUED}:
            return Outcome.done("under way")
        if record.reboot_action == mark.action_id:
            return Outcome.done("rebooted")
        if record.jobs:
            return Outcome.retry("not drained")
        record.reboot = RebootProgress.ISSUED
        record.reboot_action = mark.action_id
        record.boots_at = self._time() + self.boot_seconds
        record.reboots += 1
        self._note("reboot", node, mark)
        if self.on_reboot is not None:
            self.on_reboot(node)
        return Outcome.done("issued")

    def _return(self, node: NodeName, mark: Mark) -> Outcome:
        record = self._now(node)
        if not record.reason:
            return Outcome.done("in service")
        if not mark.holds(read_hold(record.reason, prefix=self.prefix)):
            return Outcome.failed(f"not held for this incident: {record.reason}")
        if record.reboot is RebootProgress.ISSUED:
            return Outcome.retry("rebooting")
        self.nodes[node] = FakeNode(jobs=record.jobs, reboots=record.reboots)
        self._note("return_to_service", node, mark)
        return Outcome.done("in service")

    def _now(self, node: NodeName) -> FakeNode:
        """The record with everything done that time has brought."""
        record = self.nodes[node]
        record.jobs = {job: end for job, end in record.jobs.items() if end > self._time()}
        if record.reboot is RebootProgress.ISSUED and record.boots_at <= self._time():
            record.reboot = RebootProgress.COMPLETE
        return record

    def _owner(self, record: FakeNode) -> Ownership:
        if not record.reason:
            return Ownership.NONE
        is_ours = read_hold(record.reason, prefix=self.prefix) is not None
        return Ownership.OURS if is_ours else Ownership.FOREIGN

    def _note(self, verb: str, node: NodeName, mark: Mark) -> None:
        self.effects.append(Effect(verb=verb, node=node, action_id=mark.action_id, at=self._time()))

    def _time(self) -> float:
        return self.clock.now().wall
