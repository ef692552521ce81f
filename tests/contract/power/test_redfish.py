"""What only the real part can get wrong: sessions, certificates, secrets, answers that never come."""

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.power.stages import NODE, OTHER, EmulatorStage, Fault
from tests.support.bmc import PASSWORD, SERIALS, UUIDS
from tests.support.waiting import until

from sickbay.core.ids import ActionId
from sickbay.core.outcomes import Verdict
from sickbay.host.clock import SystemClock
from sickbay.power.machines import Machine, Machines
from sickbay.power.protocol import Order, PowerState, Reset
from sickbay.power.redfish import Redfish


def order(action: str = "rem/1") -> Order:
    return Order(action_id=ActionId(action), term=1, begun_at=time.time())


def redfish(stage: EmulatorStage, **changes: object) -> Redfish:
    return Redfish(settings=stage.settings(**changes), clock=SystemClock())


def journal(stage: EmulatorStage) -> list[str]:
    return [entry["what"] for entry in stage.emulator.journal]


async def test_every_login_is_followed_by_a_logout_whatever_happens(modern: EmulatorStage):
    before = len(journal(modern))
    power = modern.process()
    await power.observe(NODE)
    modern.will(Fault.REFUSED)
    await power.restart_forced(NODE, order("a"))
    modern.will(Fault.REPLY_LOST)
    await power.restart_forced(NODE, order("b"))
    modern.will(Fault.SOMEONE_ELSES)
    await modern.process().restart_forced(NODE, order("c"))
    happened = [what for what in journal(modern)[before:] if what != "reset"]
    assert happened == ["login", "logout"] * 4


async def test_a_bmc_that_calls_itself_by_another_name_is_logged_out_of_where_it_was_logged_in(
    modern: EmulatorStage,
):
    before = len(journal(modern))
    modern.emulator.will("own-name")
    assert (await modern.process().observe(NODE)).state is PowerState.ON
    assert journal(modern)[before:] == ["login", "logout"]


async def test_a_certificate_that_nobody_vouches_for_gets_no_password(modern: EmulatorStage):
    before = journal(modern)
    door = replace(modern.settings().door, verify=True)
    outcome = await redfish(modern, door=door).power_cycle(NODE, order())
    assert outcome.verdict is Verdict.FAILED
    assert "certificate is not accepted" in outcome.detail
    assert journal(modern) == before


async def test_a_login_that_is_sent_elsewhere_is_not_followed(modern: EmulatorStage):
    modern.emulator.will("elsewhere")
    outcome = await modern.process().power_cycle(NODE, order())
    assert outcome.verdict is Verdict.FAILED
    assert "sends us elsewhere" in outcome.detail


async def test_the_environments_proxies_are_not_used(modern: EmulatorStage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert (await modern.process().observe(NODE)).state is PowerState.ON


async def test_no_secret_is_ever_in_a_log_or_an_outcome(
    modern: EmulatorStage, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    power = modern.process()
    outcomes = [await power.restart_forced(NODE, order("a"))]
    await modern.until_on(NODE)
    for number, fault in enumerate((Fault.REFUSED, Fault.DENIED, Fault.SOMEONE_ELSES)):
        modern.will(fault)
        outcomes.append(await modern.process().restart_forced(NODE, order(f"b{number}")))
    said = caplog.text + repr(outcomes) + repr(power)
    assert "not in this state, said *** with ***" in said
    assert PASSWORD not in said
    assert "admin" not in said
    assert "X-Auth-Token" not in said


async def test_an_answer_that_does_not_come_is_unknown_and_what_was_not_sent_never_will_be(
    modern: EmulatorStage,
):
    """The BMC takes the request and is silent: the call ends by its deadline, not by the BMC's."""
    modern.emulator.will("hang")
    power = redfish(modern, call=2.0)
    first = order()
    assert (await power.restart_forced(NODE, first)).verdict is Verdict.UNKNOWN
    modern.emulator.will("go-on")
    await until(lambda: modern.resets() == [(NODE, Reset.FORCED)])
    (modern.emulator.directory / "faults" / "go-on").unlink()
    outcome = await power.restart_forced(NODE, replace(first, is_repeat=True))
    assert (outcome.verdict, modern.resets()) == (Verdict.DONE, [(NODE, Reset.FORCED)])


async def test_a_bmc_that_is_busy_is_asked_again_before_the_reset_and_never_after_it(modern: EmulatorStage):
    power = modern.process()
    modern.emulator.will("busy-look")
    assert (await power.restart_forced(NODE, order("a"))).verdict is Verdict.RETRY
    modern.emulator.will("busy")
    outcome = await power.restart_forced(NODE, order("b"))
    assert outcome.verdict is Verdict.UNKNOWN
    assert "HTTP 503, try later" in outcome.detail
    assert modern.resets() == []


async def test_no_more_bmcs_are_visited_at_once_than_allowed_and_none_waits_for_ever(modern: EmulatorStage):
    modern.emulator.will("hang")
    power = redfish(modern, call=1.5, at_once=1)
    first, second = await asyncio.gather(power.restart_forced(NODE, order("a")), power.observe(OTHER))
    assert first.verdict is Verdict.UNKNOWN
    assert second.problem is not None
    assert second.problem.verdict is Verdict.RETRY
    modern.emulator.will("go-on")
    await until(lambda: modern.resets() == [(NODE, Reset.FORCED)])
    (modern.emulator.directory / "faults" / "go-on").unlink()


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine(serial=SERIALS[OTHER], uuid=UUIDS[NODE]), "serial should be SN-0002 and is SN-0001"),
        (Machine(uuid=UUIDS[NODE], hostname="n2"), "hostname should be n2 and is n1.cluster.example"),
        (Machine(hostname="n1.other.example"), "hostname should be n1.other.example"),
        (Machine(serial=SERIALS[NODE], system="Self"), "none listed|as far as stated"),
    ],
)
async def test_a_machine_of_which_any_stated_fact_is_wrong_is_left_alone(
    modern: EmulatorStage, machine: Machine, said: str
):
    at_home = Machine(**{name: getattr(machine, name) for name in ("serial", "uuid", "hostname", "system")})
    machines = Machines(by_node={NODE: at_home}, template=modern.emulator.address)
    outcome = await redfish(modern, machines=machines).power_cycle(NODE, order())
    assert (outcome.verdict, modern.resets()) == (Verdict.FAILED, [])
    assert "nothing was done" in outcome.detail
    assert any(words in outcome.detail for words in said.split("|"))


async def test_without_stated_facts_the_machine_must_bear_the_nodes_name(modern: EmulatorStage):
    machines = Machines(template=modern.emulator.address)
    assert (await redfish(modern, machines=machines).restart_forced(NODE, order())).verdict is Verdict.DONE
    assert modern.resets() == [(NODE, Reset.FORCED)]


async def test_an_address_alone_is_never_enough_where_two_machines_are_behind_it(modern: EmulatorStage):
    machines = Machines(template=modern.emulator.address, identify=False)
    outcome = await redfish(modern, machines=machines).restart_forced(NODE, order())
    assert (outcome.verdict, modern.resets()) == (Verdict.FAILED, [])
    assert "2 systems prove" in outcome.detail


async def test_a_bmc_without_sessions_is_told_of_as_such(plain: EmulatorStage):
    door = replace(plain.settings().door, sessions=True)
    outcome = await redfish(plain, door=door).restart_forced(NODE, order())
    assert outcome.verdict is Verdict.FAILED
    assert outcome.detail


async def test_a_power_cycle_by_off_and_on_ends_with_the_power_on(plain: EmulatorStage):
    outcome = await plain.process().power_cycle(NODE, order())
    assert (outcome.verdict, outcome.detail) == (
        Verdict.DONE,
        "the BMC switched the machine off, and on again",
    )
    assert [kind for _, kind in plain.emulator.resets[plain.seen :]] == ["ForceOff", "On"]


async def test_the_second_half_of_a_power_cycle_survives_a_lost_answer_of_the_first(plain: EmulatorStage):
    plain.will(Fault.REPLY_LOST)
    outcome = await plain.process().power_cycle(NODE, order())
    assert outcome.verdict is Verdict.DONE
    assert [kind for _, kind in plain.emulator.resets[plain.seen :]] == ["ForceOff", "On"]


async def test_credentials_that_others_can_read_are_not_sent(modern: EmulatorStage, tmp_path: Path):
    (tmp_path / "credentials.yaml").chmod(0o640)
    before = journal(modern)
    outcome = await modern.process().power_cycle(NODE, order())
    assert outcome.verdict is Verdict.FAILED
    assert "can be read or changed by others" in outcome.detail
    assert journal(modern) == before
