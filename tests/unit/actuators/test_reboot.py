"""The reboot command, run for real: what each way of ending means."""

import sys
from pathlib import Path

from sickbay.actuators.reboot import Reboot
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import Directive, Grant, Verb
from sickbay.core.outcomes import Verdict
from sickbay.host.commands import SystemCommands

DIRECTIVE = Directive(
    verb=Verb.REBOOT,
    grant=Grant(action_id=ActionId("a"), node=NodeName("n1"), boot_id=BootId("b"), term=1, expires_at=1e12),
)


def reboot(*argv: str, deadline: float = 20.0) -> Reboot:
    return Reboot(commands=SystemCommands(), argv=argv, deadline=deadline)


async def test_a_command_that_is_accepted_is_done_and_was_run_once(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    outcome = await reboot(sys.executable, "-c", f"open({str(ran)!r}, 'a').write('x')").perform(DIRECTIVE)
    assert outcome.verdict is Verdict.DONE
    assert ran.read_text() == "x"


async def test_a_command_that_refuses_is_failed_with_its_own_words() -> None:
    outcome = await reboot("sh", "-c", "echo Access denied >&2; exit 4").perform(DIRECTIVE)
    assert outcome.verdict is Verdict.FAILED
    assert "exited with 4 and said: Access denied" in outcome.detail


async def test_a_command_that_is_not_there_is_failed() -> None:
    outcome = await reboot("/nowhere/reboot").perform(DIRECTIVE)
    assert outcome.verdict is Verdict.FAILED
    assert "no such program" in outcome.detail


async def test_a_command_that_does_not_end_is_unknown_because_it_may_have_worked() -> None:
    outcome = await reboot("sleep", "60", deadline=0.1).perform(DIRECTIVE)
    assert outcome.verdict is Verdict.UNKNOWN
