"""Asking an agent to do something, and hearing what came of it.

A lost answer is *unknown*. The agent repeats its report until somebody has heard it, so a report that comes
when nobody waits is kept for the moment in which the same action is asked for again.
"""

import asyncio
from dataclasses import dataclass, field

from sickbay.coordinator.node_state import NodeState
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import ActionReport, Directive, Grant, Verb
from sickbay.core.outcomes import Outcome
from sickbay.host.clock import Clock

_SKEW = 60.0
"""Seconds that a grant holds at least: two hosts' clocks may differ by some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask. `deadline` is how many seconds the answer is waited for; the grant holds no shorter.

    `boot` is the only boot on which it may be done; None: the one that runs now.
    """

    verb: Verb
    action: ActionId
    term: int
    deadline: float
    target: str = ""
    boot: BootId | None = None


@dataclass(slots=True)
class Directives:
    """The questions that are under way, one for each action and node."""

    clock: Clock
    _waiting: "dict[tuple[NodeName, ActionId], asyncio.Future[Outcome]]" = field(default_factory=dict)

    async def ask(self, state: NodeState, request: Request) -> Outcome:
        """What the agent says came of it. RETRY: it is not connected. UNKNOWN: it did not answer in time."""
        earlier = state.reports.pop(request.action, None)
        if earlier is not None:
            return earlier.outcome
        session = state.session
        if session is None:
            return Outcome.retry("the agent is not connected")
        key = (state.name, request.action)
        reply = self._waiting[key] = asyncio.get_running_loop().create_future()
        try:
            session.direct(self._directive(state, request))
            return await self._answer(reply, request.deadline)
        finally:
            self._waiting.pop(key, None)

    def heard(self, state: NodeState, report: ActionReport) -> None:
        """A report came: hand it to whoever waits, or keep it."""
        reply = self._waiting.get((state.name, report.action_id))
        if reply is None or reply.done():
            state.keep_report(report)
            return
        reply.set_result(report.outcome)

    def lost(self, state: NodeState) -> None:
        """The agent's stream ended: what was asked over it may or may not have happened."""
        for (node, _), reply in self._waiting.items():
            if node == state.name and not reply.done():
                reply.set_result(Outcome.unknown("the agent's stream ended before it answered"))

    def _directive(self, state: NodeState, request: Request) -> Directive:
        grant = Grant(
            action_id=request.action,
            node=state.name,
            boot_id=request.boot or state.boot_id or state.record.boot_id,
            term=request.term,
            expires_at=self.clock.now().wall + max(request.deadline, _SKEW),
        )
        return Directive(verb=request.verb, grant=grant, target=request.target)

    async def _answer(self, reply: "asyncio.Future[Outcome]", deadline: float) -> Outcome:
        late = Outcome.unknown(f"no answer within {deadline:.0f} s")
        timer = asyncio.ensure_future(self.clock.sleep(deadline))
        timer.add_done_callback(lambda _: None if reply.done() else reply.set_result(late))
        try:
            return await reply
        finally:
            timer.cancel()
