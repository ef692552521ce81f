"""A service's restart through a stand-in for systemctl that keeps its state in a file, run for real."""

from pathlib import Path

import pytest

from sickbay.actuators.service_restart import RestartService
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import Directive, Grant, Verb
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.commands import SystemCommands

UNIT = "nvidia-persistenced.service"
GRANT = Grant(action_id=ActionId("a"), node=NodeName("n"), boot_id=BootId("b"), term=1, expires_at=1e12)


async def restarted(tmp_path: Path, on_restart: str, unit: str = UNIT) -> Outcome:
    (tmp_path / "state").write_text("ActiveState=active\nInvocationID=one\n")
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f'#!/bin/sh\ncd {tmp_path}\nif [ "$1" = show ]; then cat state; exit; fi\n{on_restart}\n'
    )
    systemctl.chmod(0o755)
    actuator = RestartService(commands=SystemCommands(), allowed=(UNIT,), systemctl=str(systemctl))
    return await actuator.perform(Directive(verb=Verb.RESTART_SERVICE, grant=GRANT, target=unit))


async def test_a_unit_that_is_active_under_a_new_invocation_was_restarted(tmp_path: Path) -> None:
    outcome = await restarted(tmp_path, "printf 'ActiveState=active\\nInvocationID=two\\n' > state")
    assert (outcome.verdict, outcome.detail) == (Verdict.DONE, f"{UNIT} is active under invocation two")


@pytest.mark.parametrize(
    ("on_restart", "said"),
    [
        ("true", "under no new invocation"),
        ("printf 'ActiveState=failed\\nInvocationID=two\\n' > state", "is failed"),
        ("echo Access denied >&2; exit 4", "exited with 4 and said: Access denied"),
    ],
)
async def test_a_restart_that_shows_no_new_start_is_failed(
    tmp_path: Path, on_restart: str, said: str
) -> None:
    outcome = await restarted(tmp_path, on_restart)
    assert outcome.verdict is Verdict.FAILED
    assert said in outcome.detail


@pytest.mark.parametrize("unit", ["", "sshd.service", "--now", f"{UNIT} sshd.service"])
async def test_a_unit_that_the_host_does_not_name_is_never_touched(tmp_path: Path, unit: str) -> None:
    outcome = await restarted(tmp_path, "touch touched", unit)
    assert outcome.verdict is Verdict.FAILED
    assert not (tmp_path / "touched").exists()
