"""This agent, as its stream to the coordinator sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sickbay.core.fleet_readings import as_told
from sickbay.core.messages import ActionReport, Directive, Event, FullState, Hello, Welcome
from sickbay.core.rule_bundles import RuleSetOffer
from sickbay.host.clock import Clock
from sickbay.node.history import History
from sickbay.node.performing import Performer
from sickbay.node.reporting import Reporter
from sickbay.node.rule_intake import RuleIntake
from sickbay.node.status import HostStatus


@dataclass(slots=True, kw_only=True)
class NodeSide:
    """`AgentSide` of sickbay.rpc.ports over this process's own parts."""

    status: HostStatus
    clock: Clock
    history: History
    performer: Performer
    reporter: Reporter
    intake: RuleIntake
    pool: str = ""

    def hello(self) -> Hello:
        """Who we are."""
        identity = self.status.identity
        return Hello(
            node=identity.node,
            boot_id=identity.boot_id,
            version=identity.version,
            inventory=self.status.inventory,
            rules_digest=self.status.rules_digest,
            started_at=identity.started_at,
            pool=self.pool,
            rules=self.intake.report,
        )

    def full_state(self) -> FullState:
        """All that holds now, of nobody's memory but ours; of readings what a coordinator is told."""
        told = (as_told(signal) for signal in self.status.readings.values())
        return FullState(
            conditions=self.status.conditions,
            inventory=self.status.inventory,
            readings=tuple(signal for signal in told if signal is not None),
            at=self.clock.now().wall,
        )

    def unacknowledged(self, limit: int) -> Sequence[Event]:
        """The oldest events that nobody has."""
        return self.history.unacknowledged(limit)

    def connected(self, welcome: Welcome, target: str) -> None:
        """A coordinator took us; grants of an older term than its own are void from now on."""
        self.performer.term = max(self.performer.term, welcome.term)
        self.status.coordinator = target
        self.status.coordinator_connected = True
        self.status.note("coordinator", "", self.clock.now().wall)

    def disconnected(self, why: str) -> None:
        """It is gone."""
        self.status.coordinator_connected = False
        self.status.note("coordinator", why, self.clock.now().wall)

    async def acknowledged(self, sequence: int) -> None:
        """All events up to `sequence` are safe."""
        await self.history.acknowledged(sequence)

    async def directed(self, directive: Directive) -> None:
        """Do it, and report what came of it."""
        outcome = await self.performer.perform(directive)
        report = ActionReport(
            action_id=directive.grant.action_id,
            outcome=outcome,
            at=self.clock.now().wall,
        )
        self.reporter.link.report(report)

    async def rules_offered(self, offer: RuleSetOffer) -> None:
        """Run this set, or go on without it."""
        await self.intake.offered(offer)
