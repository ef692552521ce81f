"""No scheduler: the coordinator's own record says who is in service, and hooks tell whoever else must know.

Nothing here can see what runs on a host. So a node counts as drained only where a hook lists its jobs, or
where the site has said that its hosts run none that a repair must wait for.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import (
    DEFAULT_PREFIX,
    Job,
    Mark,
    NodeObservation,
    Ownership,
    read_hold,
    unobserved,
)
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remedies import Drain
from sickbay.host.clock import Clock
from sickbay.host.commands import CommandResult, CommandRunner
from sickbay.orchestrators.fence import TermFence
from sickbay.orchestrators.records import CordonRecord, CordonRecords, RecordsError

Hook = tuple[str, ...]
"""A program and its arguments, run without a shell, with SICKBAY_NODE and SICKBAY_REASON in its environment.

It may be run more than once for one event, and must then do nothing new. Status 0 means done.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandaloneSettings:
    """Hooks, each empty for none, and what the site knows of its jobs.

    `list_jobs` prints one job a line, `id [user [name]]`; nothing at all means that no job is left.
    `hosts_run_no_jobs` says that there is nothing to wait for. `deadline` in seconds is for each hook.
    """

    on_cordon: Hook = ()
    on_return: Hook = ()
    list_jobs: Hook = ()
    hosts_run_no_jobs: bool = False
    deadline: float = 10.0
    prefix: str = DEFAULT_PREFIX


@dataclass(slots=True, kw_only=True)
class Standalone:
    """An `Orchestrator` over our own records."""

    settings: StandaloneSettings
    records: CordonRecords
    commands: CommandRunner
    clock: Clock
    name: str = "standalone"
    can_reboot: bool = False
    _fence: TermFence = field(default_factory=TermFence)

    async def observe(self, node: NodeName) -> NodeObservation:
        """See `Orchestrator.observe`."""
        try:
            return await self._judged(node, await self.records.load(node))
        except RecordsError as trouble:
            return unobserved(node, at=self.clock.now().wall, detail=str(trouble))

    async def observe_all(self, nodes: Sequence[NodeName]) -> Mapping[NodeName, NodeObservation]:
        """See `Orchestrator.observe`. The job hook is run for cordoned nodes only."""
        try:
            records = await self.records.load_all()
        except RecordsError as trouble:
            at = self.clock.now().wall
            return {node: unobserved(node, at=at, detail=str(trouble)) for node in nodes}
        return {node: await self._judged(node, records.get(node)) for node in nodes}

    async def jobs(self, node: NodeName) -> tuple[Job, ...] | None:
        """What the hook lists; None without a hook, or when the hook failed."""
        if self.settings.hosts_run_no_jobs:
            return ()
        if not self.settings.list_jobs:
            return None
        listed = await self._run(self.settings.list_jobs, node, "")
        return None if isinstance(listed, str) else _parse_jobs(listed.stdout)

    async def cordon(self, node: NodeName, mark: Mark) -> Outcome:
        """See `Orchestrator.cordon`. The record comes first, so that a hook that fails is run again."""
        refusal = self._fence.refusal(mark)
        if refusal is not None:
            return refusal
        try:
            return await self._cordoned(node, mark)
        except RecordsError as trouble:
            return Outcome.unknown(str(trouble))

    async def _cordoned(self, node: NodeName, mark: Mark) -> Outcome:
        record = await self.records.load(node)
        if record is not None and read_hold(record.reason, prefix=self.settings.prefix) is None:
            return _foreign(record)
        if record is None:
            record = CordonRecord(node=node, reason=mark.reason, at=self.clock.now().wall)
            await self.records.save(record)
        return await self._told(self.settings.on_cordon, record, f"{node} is out of service")

    async def drain(self, node: NodeName, mark: Mark, spec: Drain) -> Outcome:
        """The same as `cordon`: nobody but the jobs themselves can empty the node."""
        del spec
        return await self.cordon(node, mark)

    async def reboot(self, node: NodeName, mark: Mark) -> Outcome:
        """Not ours to do: the node's agent reboots, under a grant."""
        del mark
        return Outcome.failed(f"no scheduler reboots {node}: its agent does")

    async def return_to_service(self, node: NodeName, mark: Mark) -> Outcome:
        """See `Orchestrator.return_to_service`. The record goes last: a hook that fails is run again."""
        refusal = self._fence.refusal(mark)
        if refusal is not None:
            return refusal
        try:
            return await self._given_back(node, mark)
        except RecordsError as trouble:
            return Outcome.unknown(str(trouble))

    async def _given_back(self, node: NodeName, mark: Mark) -> Outcome:
        record = await self.records.load(node)
        if record is None:
            return Outcome.done(f"{node} is in service")
        hold = read_hold(record.reason, prefix=self.settings.prefix)
        if hold is None:
            return _foreign(record)
        if not mark.holds(hold):
            return Outcome.failed(f"{node} is held for another incident of ours: {record.reason}")
        told = await self._told(self.settings.on_return, record, f"{node} is in service")
        if told.verdict is Verdict.DONE:
            await self.records.remove(node)
        return told

    async def hold(self, node: NodeName, reason: str) -> Outcome:
        """See `Orchestrator.hold`. The hook is told, as of every cordon."""
        try:
            return await self._hold(node, reason)
        except RecordsError as error:
            return Outcome.unknown(str(error))

    async def release(self, node: NodeName) -> Outcome:
        """See `Orchestrator.release`. The record goes last, as when we give a node back ourselves."""
        try:
            return await self._release(node)
        except RecordsError as error:
            return Outcome.unknown(str(error))

    async def _hold(self, node: NodeName, reason: str) -> Outcome:
        record = await self.records.load(node)
        if record is None or read_hold(record.reason, prefix=self.settings.prefix) is not None:
            record = CordonRecord(node=node, reason=reason, at=self.clock.now().wall)
            await self.records.save(record)
        return await self._told(self.settings.on_cordon, record, f"{node} is out of service: {record.reason}")

    async def _release(self, node: NodeName) -> Outcome:
        record = await self.records.load(node)
        if record is None:
            return Outcome.done(f"{node} is in service")
        told = await self._told(self.settings.on_return, record, f"{node} is in service")
        if told.verdict is Verdict.DONE:
            await self.records.remove(node)
        return told

    async def _judged(self, node: NodeName, record: CordonRecord | None) -> NodeObservation:
        at = self.clock.now().wall
        if record is None:
            return NodeObservation(
                node=node,
                at=at,
                ownership=Ownership.NONE,
                schedulable=True,
                drained=False,
                state="in service",
            )
        hold = read_hold(record.reason, prefix=self.settings.prefix)
        jobs = await self.jobs(node)
        return NodeObservation(
            node=node,
            at=at,
            ownership=Ownership.FOREIGN if hold is None else Ownership.OURS,
            schedulable=False,
            drained=None if jobs is None else not jobs,
            hold=hold,
            reason=record.reason,
            state="cordoned",
            jobs=jobs,
            detail="no list of jobs: set list_jobs or hosts_run_no_jobs" if jobs is None else "",
        )

    async def _told(self, hook: Hook, record: CordonRecord, what: str) -> Outcome:
        if not hook:
            return Outcome.done(what)
        ended = await self._run(hook, record.node, record.reason)
        return Outcome.unknown(ended) if isinstance(ended, str) else Outcome.done(what)

    async def _run(self, hook: Hook, node: NodeName, reason: str) -> CommandResult | str:
        """The hook's result, or why it cannot be relied on."""
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "SICKBAY_NODE": node,
            "SICKBAY_REASON": reason,
        }
        ended = await self.commands.run(hook, deadline=self.settings.deadline, env=env)
        if not isinstance(ended, CommandResult):
            return str(ended)
        if ended.exit_code != 0 or ended.is_cut:
            return f"{hook[0]} ended with {ended.exit_code}: {ended.stderr.strip()[:300]}"
        return ended


def _foreign(record: CordonRecord) -> Outcome:
    return Outcome.failed(f"{record.node} is held by someone else, left alone: {record.reason}")


def _parse_jobs(text: str) -> tuple[Job, ...]:
    lines = [line.split(maxsplit=2) for line in text.splitlines() if line.strip()]
    return tuple(_job(*fields) for fields in lines)


def _job(ident: str, user: str = "", name: str = "") -> Job:
    return Job(id=ident, user=user, name=name)
