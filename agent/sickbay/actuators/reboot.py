"""Reboot this host: run the site's command, once, and say what it said.

Whether the host came down is not judged here. Only a new boot_id proves a reboot, and only the coordinator
lives to see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from sickbay.core.messages import Directive
from sickbay.core.outcomes import Outcome
from sickbay.host.commands import (
    CommandResult,
    CommandRunner,
    NotFound,
    NotPermitted,
    NotStarted,
    TimedOut,
)

_SAID = 400
"""Characters of the command's own words in an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """The command that reboots, and how long it may take to accept (seconds)."""

    commands: CommandRunner
    argv: Sequence[str] = ("systemctl", "reboot")
    deadline: float = 30.0

    async def perform(self, directive: Directive) -> Outcome:  # noqa: ARG002 - it concerns the whole host
        """DONE when the command was accepted; UNKNOWN when it did not end, for it may have been."""
        result = await self.commands.run(self.argv, deadline=self.deadline)
        match result:
            case CommandResult(exit_code=0):
                return Outcome.done(f"the reboot command was accepted: {self._shown}")
            case CommandResult():
                said = (result.stderr or result.stdout).strip()[:_SAID] or "nothing"
                return Outcome.failed(f"{self._shown} exited with {result.exit_code} and said: {said}")
            case NotFound() | NotPermitted() | NotStarted():
                return Outcome.failed(str(result))
            case TimedOut():
                return Outcome.unknown(str(result))
            case _:
                assert_never(result)

    @property
    def _shown(self) -> str:
        return " ".join(self.argv)
