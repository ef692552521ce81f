"""Reset GPUs by the site's command, after our own hold on the driver is gone and when nobody else has one.

Whatever stands in the way is FAILED before anything was touched, so that the ladder can climb. The command's
word is no proof that a GPU is well: the sweep of the validation reads everything anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sickbay.core.devices import normalise_pci
from sickbay.core.messages import Directive
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.blocking import in_thread
from sickbay.host.clock import Clock
from sickbay.host.commands import CommandResult, CommandRunner, TimedOut
from sickbay.host.host_root import HostRoot
from sickbay.host.kernel_files import names_in
from sickbay.host.processes import holders

_SAID = 400
_RELEASED_WITHIN = 15.0
_ASK_AGAIN = 0.5
_SPARE = 30.0
"""Seconds by which the release outlasts the resets: should we never take the driver back, it comes back."""
_OURS_TO_PASS = frozenset({"nvidia-persiste"})
"""The persistence daemon, as comm(5) cuts its name: NVIDIA's tool has it let go by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetGpu:
    """`argv` is followed by one PCI address; empty: not set up. `deadline` is for one GPU (seconds).

    `release` and `resume` let the driver go and take it again; `host` is None where its files are not read.
    """

    commands: CommandRunner
    clock: Clock
    host: HostRoot | None
    release: Callable[[float], Awaitable[Outcome]]
    resume: Callable[[], Awaitable[None]]
    argv: Sequence[str] = ()
    deadline: float = 120.0

    async def perform(self, directive: Directive) -> Outcome:
        """DONE when the command accepted every GPU of the target: PCI addresses, with commas between."""
        named = [normalise_pci(part) for part in directive.target.split(",")]
        gpus = [pci for pci in named if pci is not None]
        if len(gpus) != len(named):
            return Outcome.failed(f"{directive.target!r} is no list of PCI addresses")
        if not self.argv or self.host is None:
            return Outcome.failed("GPU resets are not set up on this host (actuators.gpu_reset_command)")
        if names_in(self.host.sys / "bus/pci/drivers/nvidia-nvswitch", "0"):
            return Outcome.failed("the GPUs share a fabric of NVSwitches: none is reset alone")
        try:
            return await self._released(gpus, self.host)
        finally:
            await self.resume()

    async def _released(self, gpus: Sequence[str], host: HostRoot) -> Outcome:
        free = await self._free(self.deadline * len(gpus) + _RELEASED_WITHIN + _SPARE)
        if free.verdict is not Verdict.DONE:
            return Outcome.failed(f"not reset, because the agent's own hold did not end: {free.detail}")
        try:
            held = await in_thread(lambda: _in_the_way(host), deadline=_RELEASED_WITHIN, name="gpu-holders")
        except (OSError, TimeoutError) as error:
            return Outcome.failed(f"not reset, because nobody can say who holds the GPUs: {error}")
        if held:
            return Outcome.failed(f"not reset: {held}")
        for pci in gpus:
            outcome = await self._reset(pci)
            if outcome.verdict is not Verdict.DONE:
                return outcome
        return Outcome.done(f"reset: {', '.join(gpus)}")

    async def _free(self, seconds: float) -> Outcome:
        """Ask for the release until it is there; every asking sets its end anew."""
        outcome = await self.release(seconds)
        for _ in range(round(_RELEASED_WITHIN / _ASK_AGAIN)):
            if outcome.verdict is not Verdict.RETRY:
                break
            await self.clock.sleep(_ASK_AGAIN)
            outcome = await self.release(seconds)
        return outcome

    async def _reset(self, pci: str) -> Outcome:
        # A reset that is broken off can wedge the GPU, so the agent's own end does not end it.
        run = asyncio.ensure_future(self.commands.run((*self.argv, f"{pci}.0"), deadline=self.deadline))
        result = await asyncio.shield(run)
        if isinstance(result, TimedOut):
            return Outcome.unknown(f"reset of {pci}: {result}")
        if not isinstance(result, CommandResult):
            return Outcome.failed(f"reset of {pci}: {result}")
        if result.exit_code == 0:
            return Outcome.done(f"reset of {pci} accepted")
        said = (result.stderr or result.stdout).strip()[:_SAID] or "nothing"
        return Outcome.failed(f"reset of {pci} exited with {result.exit_code} and said: {said}")


def _in_the_way(host: HostRoot) -> str:
    """Who holds the driver's devices, in words; empty: nobody.

    Processes of others can be looked into by root alone, so the first process stands for them all.
    """
    list((host.proc / "1/fd").iterdir())
    found = [h for h in holders(host.proc) if h.name not in _OURS_TO_PASS]
    return ", ".join(f"{h.name} (pid {h.pid}) holds {h.devices[0]}" for h in found)
