"""Power through Redfish. See `sickbay.power.protocol` for what each verb promises."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sushy.resources.constants import ResetType

from sickbay.core.ids import NodeName
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.clock import Clock
from sickbay.power.credentials import CredentialsError, CredentialsFile
from sickbay.power.errands import AbandonedError, Errands, Leave
from sickbay.power.machines import Machines
from sickbay.power.protocol import Order, PowerObservation, PowerState, Reset
from sickbay.power.redfish_errors import BmcError
from sickbay.power.redfish_visit import Door, Visit, visit
from sickbay.power.sent_resets import SentResets

_T = TypeVar("_T")

_LATE = "the BMC did not answer in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedfishSettings:
    """Spans in seconds. `call`: for a whole visit. `at_once`: visits. `off`: until the power is gone."""

    machines: Machines
    credentials: CredentialsFile
    door: Door
    call: float = 60.0
    at_once: int = 8
    off: float = 60.0
    poll: float = 1.0


@dataclass(slots=True)
class Redfish:
    """A `PowerControl` over the BMCs of the settings."""

    settings: RedfishSettings
    clock: Clock
    _errands: Errands = field(init=False)
    _sent: SentResets = field(default_factory=SentResets)
    _switched_off: set[NodeName] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._errands = Errands(self.settings.at_once)

    async def observe(self, node: NodeName) -> PowerObservation:
        """See `PowerControl.observe`."""
        try:
            return await self._visit(node, lambda bmc: bmc.look(self.clock.now().wall), Leave())
        except BmcError as error:
            return PowerObservation(node=node, at=self.clock.now().wall, problem=error.outcome)

    async def restart_gracefully(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.restart_gracefully`."""
        return await self._reset(node, order, Reset.GRACEFUL)

    async def restart_forced(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.restart_forced`."""
        return await self._reset(node, order, Reset.FORCED)

    async def power_cycle(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.power_cycle`; switches off and on where the BMC offers nothing else."""
        outcome = await self._reset(node, order, Reset.CYCLE)
        is_half_done = node in self._switched_off and outcome.verdict is not Verdict.FAILED
        return await self._switch_on(node) if is_half_done else outcome

    async def _reset(self, node: NodeName, order: Order, reset: Reset) -> Outcome:
        refusal = self._sent.refusal(order)
        if refusal is not None:
            return refusal
        self._sent.meet(node, order)
        leave = Leave()
        try:
            outcome = await self._visit(node, lambda bmc: self._send(bmc, order, reset, leave), leave)
        except BmcError as error:
            return error.outcome
        if leave.withdraw():
            self._heard(node, reset, outcome)
        return outcome

    def _heard(self, node: NodeName, reset: Reset, outcome: Outcome) -> None:
        """What became of a reset that was sent: one that was refused may be asked for again."""
        self._sent.heard(node, reset, outcome)
        if outcome.verdict in {Verdict.FAILED, Verdict.RETRY}:
            self._switched_off.discard(node)

    def _send(self, bmc: Visit, order: Order, reset: Reset, leave: Leave) -> Outcome:
        """In the thread: look, and send it unless it was sent before or the machine is not fit for it."""
        answer = self._sent.answer(bmc.node, order, reset, bmc.look(self.clock.now().wall))
        if answer is not None:
            return answer
        way = bmc.way(reset)
        if isinstance(way, Outcome):
            return way
        leave.use()
        self._sent.note(bmc.node, reset, self.clock.now().wall)
        if way is ResetType.FORCE_OFF:
            self._switched_off.add(bmc.node)
        return bmc.send(way, reset.words)

    async def _switch_on(self, node: NodeName) -> Outcome:
        """The second half of a power cycle. We switched it off, so nobody else's hands are in the machine."""
        end = self.clock.now().mono + self.settings.off
        last, told = Outcome.unknown("the BMC has not been asked yet"), Leave()
        while self.clock.now().mono < end:
            last = await self._switched_on(node, told)
            if last.verdict is Verdict.DONE:
                self._switched_off.discard(node)
                return Outcome.done("the BMC switched the machine off, and on again")
            await self.clock.sleep(self.settings.poll)
        return Outcome.unknown(f"the machine was told to switch off and may still be off: {last.detail}")

    async def _switched_on(self, node: NodeName, told: Leave) -> Outcome:
        """`told` is used once the machine was told to switch on; saying it again does no harm."""

        def on(bmc: Visit) -> Outcome:
            state = bmc.look(self.clock.now().wall).state
            if state is PowerState.OFF:
                told.use()
                return bmc.send(ResetType.ON, "power cycle")
            if told.is_used:
                return Outcome.done("it is on")
            return Outcome.retry(f"the power is not off yet, but {state.value}")

        try:
            return await self._visit(node, on, Leave())
        except BmcError as error:
            return error.outcome

    async def _visit(self, node: NodeName, errand: Callable[[Visit], _T], leave: Leave) -> _T:
        """What the errand brings back from the node's BMC.

        Raises:
            BmcError: nothing; whether a reset was sent before the time was out is in its outcome.
        """
        machine = self.settings.machines.of(node)
        if isinstance(machine, str):
            raise BmcError(Outcome.failed(machine))

        def there_and_back() -> _T:
            credentials = self.settings.credentials.of(node)
            with visit(node, machine, credentials, self.settings.door) as bmc:
                return errand(bmc)

        try:
            return await self._errands.run(there_and_back, deadline=self.settings.call)
        except CredentialsError as error:
            raise BmcError(Outcome.failed(str(error))) from error
        except AbandonedError as error:
            raise BmcError(Outcome.retry(_LATE)) from error
        except TimeoutError as error:
            sent = leave.withdraw()
            late = Outcome.unknown(f"a reset was sent, and {_LATE}") if sent else Outcome.retry(_LATE)
            raise BmcError(late) from error
