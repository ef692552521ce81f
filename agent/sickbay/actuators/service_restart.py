"""Restart one of the services that this host's configuration names, and see that it was started anew.

`systemctl` speaks to systemd over D-Bus and waits for the job. Its word is not the proof: a new invocation id
of an active unit is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sickbay.core.messages import Directive
from sickbay.core.outcomes import Outcome
from sickbay.host.commands import CommandResult, CommandRunner, TimedOut

_SAID = 400
"""Characters of the command's own words in an outcome."""

_ASKED_WITHIN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartService:
    """`allowed` are whole unit names; `deadline` is how long a restart may take (seconds)."""

    commands: CommandRunner
    allowed: Sequence[str] = ()
    systemctl: str = "systemctl"
    deadline: float = 90.0

    async def perform(self, directive: Directive) -> Outcome:
        """DONE when the unit is active under a new invocation; UNKNOWN when that cannot be seen."""
        unit = directive.target
        if unit not in self.allowed:
            return Outcome.failed(f"{unit or 'no unit'} is not in actuators.restart_services of this host")
        before = await self._shown(unit)
        if isinstance(before, str):
            return Outcome.failed(f"not restarted, because its state cannot be read: {before}")
        result = await self.commands.run((self.systemctl, "restart", "--", unit), deadline=self.deadline)
        if isinstance(result, TimedOut):
            return Outcome.unknown(str(result))
        if not isinstance(result, CommandResult):
            return Outcome.failed(str(result))
        if result.exit_code != 0:
            said = (result.stderr or result.stdout).strip()[:_SAID] or "nothing"
            return Outcome.failed(f"restart of {unit} exited with {result.exit_code} and said: {said}")
        return _judged(unit, before, await self._shown(unit))

    async def _shown(self, unit: str) -> dict[str, str] | str:
        """Systemd's properties of the unit, or why they cannot be had."""
        argv = (self.systemctl, "show", "-p", "ActiveState", "-p", "InvocationID", "--", unit)
        result = await self.commands.run(argv, deadline=_ASKED_WITHIN)
        if not isinstance(result, CommandResult):
            return str(result)
        if result.exit_code != 0:
            return (result.stderr or result.stdout).strip()[:_SAID] or f"exit code {result.exit_code}"
        pairs = (line.partition("=") for line in result.stdout.splitlines())
        return {key: value for key, _, value in pairs}


def _judged(unit: str, before: dict[str, str], after: dict[str, str] | str) -> Outcome:
    if isinstance(after, str):
        return Outcome.unknown(f"{unit} was restarted, but its state cannot be read: {after}")
    state, invocation = after.get("ActiveState", ""), after.get("InvocationID", "")
    if state != "active":
        return Outcome.failed(f"{unit} was restarted and is {state or 'in no known state'}")
    if not invocation or invocation == before.get("InvocationID"):
        return Outcome.failed(f"{unit} is active, but under no new invocation")
    return Outcome.done(f"{unit} is active under invocation {invocation}")
