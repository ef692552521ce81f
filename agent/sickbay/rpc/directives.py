"""Carrying out what a coordinator asks for, apart from the stream that the request came on.

A stream may end in the middle of a reset, and the reset goes on; its report leaves by the next stream.
"""

import asyncio
from collections.abc import Callable

from sickbay.core.ids import ActionId
from sickbay.core.messages import ActionReport, Directive
from sickbay.core.outcomes import Outcome
from sickbay.core.rule_bundles import RuleSetOffer
from sickbay.host.clock import Clock
from sickbay.rpc.boundary import logged
from sickbay.rpc.convert_rules import core_offer
from sickbay.rpc.convert_stream import core_directive
from sickbay.rpc.ports import AgentSide
from sickbay.v1 import coordinator_pb2 as pb

AT_ONCE = 16
"""Directives under way; one more is told to come again."""


class Directives:
    """The directives under way, each in a task of its own."""

    def __init__(self, side: AgentSide, clock: Clock, report: Callable[[ActionReport], None]) -> None:
        """`report` takes the answers that never reach `side`."""
        self._side = side
        self._clock = clock
        self._report = report
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, message: pb.Directive) -> None:
        """Begin, or answer why not."""
        directive = core_directive(message)
        if directive is None:
            why = f"this agent does not know the verb {message.verb}; it is older than the coordinator"
            self._answer(message, Outcome.failed(why))
        elif len(self._tasks) >= AT_ONCE:
            self._answer(message, Outcome.retry(f"busy with {AT_ONCE} directives"))
        else:
            task = asyncio.create_task(self._carry_out(directive, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def take_rules(self, message: pb.RuleSet) -> None:
        """Hand a rule set on; reading and checking it must not keep the stream from its heartbeats."""
        task = asyncio.create_task(self._hand_on(core_offer(message)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what is under way and wait until it has taken notice."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, directive: Directive, message: pb.Directive) -> None:
        try:
            await self._side.directed(directive)
        except Exception as error:  # noqa: BLE001 - the RPC boundary: a bug in one action must not end the link
            ident = logged(f"directive {directive.verb.value}", error)
            self._answer(message, Outcome.unknown(f"failed inside the agent; see error {ident} in its log"))

    async def _hand_on(self, offer: RuleSetOffer) -> None:
        try:
            await self._side.rules_offered(offer)
        except Exception as error:  # noqa: BLE001 - the RPC boundary, as above: the agent keeps its rules
            logged(f"rule set {offer.digest[:12]}", error)

    def _answer(self, message: pb.Directive, outcome: Outcome) -> None:
        action_id = ActionId(message.grant.action_id)
        self._report(ActionReport(action_id=action_id, outcome=outcome, at=self._clock.now().wall))
