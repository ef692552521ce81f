"""The agent's own API: every call answers from memory or within a deadline, whatever the driver does."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sickbay.actuators.evidence import CollectEvidence, EvidenceError
from sickbay.core.conditions import Condition
from sickbay.core.explanations import (
    Account,
    explain_condition,
    explain_event,
    explain_nothing,
    explain_signals,
)
from sickbay.core.host_views import HostView
from sickbay.core.kernel_records import KERN, KernelRecord
from sickbay.core.messages import Event
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.clock import Clock
from sickbay.host.spool import Spool, SpoolUnavailableError
from sickbay.monitors import kernel_log
from sickbay.monitors.xid import Seen
from sickbay.node.gpu_watch import GpuWatch
from sickbay.node.judge import Judge
from sickbay.node.kernel_watch import KernelWatch
from sickbay.rpc.ports import EventQuery, NotFound, Refused

_CHECK_WITHIN = 0.8
"""Seconds that a check waits for its sweep. A sweep that a hung call holds up goes on without us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOperations:
    """`NodeOperations` of sickbay.rpc.ports."""

    clock: Clock
    judge: Judge
    spool: Spool
    kernel: KernelWatch
    gpus: GpuWatch
    collector: CollectEvidence
    longest_release: float

    async def health(self) -> HostView:
        """This host now, from memory."""
        return self.judge.status.view(self.clock.now().wall)

    async def check(self) -> HostView:
        """Read everything now; what could not be read in time shows by its age."""
        await self.gpus.sweep_now(within=_CHECK_WITHIN)
        return await self.health()

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """This host's history; Refused while the disk does not answer."""
        try:
            return await self.spool.recent(since=query.since, limit=query.limit)
        except SpoolUnavailableError as error:
            raise Refused(str(error)) from error

    async def explain(self, what: str) -> tuple[str, str]:
        """A condition by its type or key, an event by its id or number, or a kernel line as it stands."""
        account = self._of_condition(what) or await self._of_event(what) or self._of_line(what)
        said = {**account.data, "node": self.judge.status.identity.node}
        return account.text, msgspec.json.encode(said).decode()

    async def release(self, ttl: float) -> float:
        """Let go of the driver for `ttl` seconds, at most for as long as the configuration allows."""
        if ttl <= 0:
            raise Refused("a release needs a time after which the driver is taken again, in seconds")
        seconds = min(ttl, self.longest_release)
        outcome = await self.gpus.release(seconds)
        if outcome.verdict is not Verdict.DONE:
            raise Refused(outcome.detail)
        return self.clock.now().wall + seconds

    async def resume(self) -> None:
        """Take the driver again."""
        await self.gpus.resume()

    async def inject(self, line: str) -> Outcome:
        """A kernel line as if printed, marked synthetic."""
        return self.kernel.inject(line)

    async def evidence(self, incident: str) -> tuple[str, int]:
        """A fresh bundle; Refused when none could be kept."""
        try:
            bundle = await self.collector.collect(incident or f"asked-{self.clock.now().wall:.0f}")
        except EvidenceError as error:
            raise Refused(str(error)) from error
        return str(bundle.path), bundle.size

    def _of_condition(self, what: str) -> Account | None:
        named = [c for c in self.judge.status.conditions if what in {c.key, c.type, c.subject.key}]
        if not named:
            return None
        worst = max(named, key=_gravity)
        return explain_condition(worst, self.judge.rules, self.clock.now().wall)

    async def _of_event(self, what: str) -> Account | None:
        try:
            event = await self.spool.event(what)
        except SpoolUnavailableError:
            return None
        return None if event is None else explain_event(event, self.judge.rules, self.clock.now().wall)

    def _of_line(self, line: str) -> Account:
        """What the monitors would make of the line, without its having happened."""
        if " " not in line.strip():
            raise NotFound(
                f"no condition, part or event of this host is called {line!r}; give a kernel line whole",
            )
        now = self.clock.now()
        identity = self.judge.status.identity
        record = KernelRecord(facility=KERN, level=0, sequence=0, usec=round(now.mono * 1e6), text=line)
        seen = Seen(boot_id=identity.boot_id, now=now, inventory=self.judge.status.known_inventory)
        signals = kernel_log.observe(kernel_log.KernelLogState(), [record], seen).signals
        return explain_signals(signals, self.judge.rules) if signals else explain_nothing(line)


def _gravity(condition: Condition) -> tuple[int, float]:
    return condition.severity.rank, condition.since
