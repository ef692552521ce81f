"""Doing what a coordinator asks, at most once, and only under a grant that holds: here, now, and unused.

The use of a grant is on the disk before its effect begins. After a crash in between, the answer to the same
directive is *unknown*, and nothing is done again: only an observation can tell what happened.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sickbay.actuators.table import Actuator
from sickbay.core.ids import ActionId
from sickbay.core.messages import Directive, Grant, Verb
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.clock import Clock
from sickbay.host.spool import Spool, SpoolUnavailableError
from sickbay.host.spool_store import UsedGrant
from sickbay.node.status import Identity

_LOG = logging.getLogger(__name__)

HARMLESS = frozenset({Verb.SWEEP, Verb.COLLECT_EVIDENCE})
"""Verbs that change nothing on the host: a grant that has run out is no reason not to look."""


@dataclass(slots=True, kw_only=True)
class Performer:
    """Checks, journals, performs. `term` is the highest that a coordinator welcomed us with."""

    identity: Identity
    clock: Clock
    spool: Spool
    actuators: Mapping[Verb, Actuator]
    sweep: Callable[[], Awaitable[Outcome]]
    term: int = 0
    _under_way: set[ActionId] = field(default_factory=set)

    async def perform(self, directive: Directive) -> Outcome:
        """What came of it. The same action again gives the outcome that is on record."""
        refusal = self._refusal(directive)
        if refusal:
            _LOG.warning("%s refused: %s", directive.verb.value, refusal)
            return Outcome.failed(refusal)
        if directive.verb is Verb.SWEEP:
            return await self.sweep()
        actuator = self.actuators.get(directive.verb)
        if actuator is None:
            return Outcome.failed(f"{directive.verb.value} is not supported by this version of the agent")
        return await self._once(directive, actuator)

    def _refusal(self, directive: Directive) -> str:
        """Why the grant is no leave to do this; empty when it is."""
        grant = directive.grant
        if grant.node != self.identity.node:
            return f"the grant is for node {grant.node}, and this is {self.identity.node}"
        if grant.boot_id != self.identity.boot_id:
            return f"the grant is for another boot ({grant.boot_id}); this is {self.identity.boot_id}"
        if directive.verb in HARMLESS:
            return ""
        if grant.term < self.term:
            return f"the grant is of term {grant.term}, and term {self.term} has begun"
        return self._expiry(grant)

    def _expiry(self, grant: Grant) -> str:
        late = self.clock.now().wall - grant.expires_at
        return f"the grant ran out {late:.1f} s ago" if late >= 0 else ""

    async def _once(self, directive: Directive, actuator: Actuator) -> Outcome:
        action = directive.grant.action_id
        if action in self._under_way:
            return Outcome.retry(f"{directive.verb.value} is still under way")
        self._under_way.add(action)
        try:
            return await self._journalled_first(directive, actuator)
        finally:
            self._under_way.discard(action)

    async def _journalled_first(self, directive: Directive, actuator: Actuator) -> Outcome:
        try:
            earlier = await self.spool.begin(self._use(directive))
        except SpoolUnavailableError as error:
            if directive.verb not in HARMLESS:
                return Outcome.failed(f"not done, because it cannot be journalled first: {error}")
            return await actuator.perform(directive)
        if earlier is None or (earlier.outcome and earlier.outcome.verdict is Verdict.RETRY):
            return await self._journalled(directive, actuator)
        lost = Outcome.unknown(f"{earlier.verb} was begun before, and its outcome was never recorded")
        return earlier.outcome or lost

    async def _journalled(self, directive: Directive, actuator: Actuator) -> Outcome:
        # The journal may have taken its time; the grant must hold at the moment of the effect.
        expired = "" if directive.verb in HARMLESS else self._expiry(directive.grant)
        if expired:
            outcome = Outcome.failed(f"not done: {expired}")
        else:
            _LOG.warning("performing %s under grant %s", directive.verb.value, directive.grant.action_id)
            outcome = await actuator.perform(directive)
        _LOG.warning("%s: %s (%s)", directive.verb.value, outcome.verdict.value, outcome.detail)
        try:
            await self.spool.conclude(directive.grant.action_id, outcome)
        except SpoolUnavailableError as error:
            _LOG.warning("the outcome of %s is not on record: %s", directive.grant.action_id, error)
        return outcome

    def _use(self, directive: Directive) -> UsedGrant:
        return UsedGrant(
            action_id=directive.grant.action_id,
            boot_id=directive.grant.boot_id,
            verb=directive.verb.value,
            began_at=self.clock.now().wall,
            outcome=None,
        )
