"""An agent in memory: a spool, a level, and a record of what its link told it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.fakes.words import a_signal, an_event

from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, NodeName
from sickbay.core.messages import Directive, Event, FullState, Hello, Welcome
from sickbay.core.rule_bundles import RuleSetOffer

if TYPE_CHECKING:
    from sickbay.core.conditions import Condition


class FakeAgentSide:
    """An AgentSide. Events are spooled by `happened`, as the agent does before it tells its link."""

    def __init__(self, node: str = "n1", boot: str = "boot-1") -> None:
        self.node = NodeName(node)
        self.boot = BootId(boot)
        self.spool: list[Event] = []
        self.conditions: dict[str, Condition] = {}
        self.welcomes: list[tuple[Welcome, str]] = []
        self.losses: list[str] = []
        self.directives: list[Directive] = []
        self.offers: list[RuleSetOffer] = []
        self.failing: Exception | None = None
        self.full_states = 0
        self._sequence = 0

    def happened(self, count: int = 1, *, raw: str = "") -> list[Event]:
        """`count` new events, in the spool already."""
        made = []
        for _ in range(count):
            self._sequence += 1
            what = a_signal(raw=raw or f"line {self._sequence}")
            made.append(an_event(self._sequence, what, boot=self.boot, ident=f"{self.boot}/{self._sequence}"))
        self.spool.extend(made)
        return made

    def hello(self) -> Hello:
        return Hello(
            node=self.node,
            boot_id=self.boot,
            version="0.1.0",
            inventory=Inventory(),
            rules_digest="digest",
            started_at=1.0,
        )

    def full_state(self) -> FullState:
        self.full_states += 1
        return FullState(
            conditions=tuple(self.conditions.values()),
            inventory=Inventory(),
            readings=(),
            at=2.0,
        )

    def unacknowledged(self, limit: int) -> Sequence[Event]:
        return self.spool[:limit]

    def connected(self, welcome: Welcome, target: str) -> None:
        self.welcomes.append((welcome, target))

    def disconnected(self, why: str) -> None:
        self.losses.append(why)

    async def acknowledged(self, sequence: int) -> None:
        self.spool = [event for event in self.spool if event.sequence > sequence]

    async def directed(self, directive: Directive) -> None:
        self.directives.append(directive)
        if self.failing is not None:
            raise self.failing

    async def rules_offered(self, offer: RuleSetOffer) -> None:
        self.offers.append(offer)
        if self.failing is not None:
            raise self.failing
