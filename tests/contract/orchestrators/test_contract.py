"""What every scheduler's adapter must do, and the fake with them."""

import pytest
from tests.contract.orchestrators.stages import NODE, OTHER, Stage, until

from sickbay.core.ids import ActionId, IncidentId, NodeName, RuleId
from sickbay.core.orchestration import Mark, NodeObservation, Ownership, RebootProgress
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remedies import Drain


def mark(incident: str = "inc-1", *, action: str = "a", term: int = 1) -> Mark:
    return Mark(incident=IncidentId(incident), rule=RuleId("gpu-lost"), action_id=ActionId(action), term=term)


def verdict(outcome: Outcome) -> Verdict:
    return outcome.verdict


async def seen(stage: Stage, node: NodeName = NODE) -> NodeObservation:
    return await stage.orchestrator.observe(node)


async def cordoned(stage: Stage) -> None:
    assert verdict(await stage.orchestrator.cordon(NODE, mark())) is Verdict.DONE


async def given_back(stage: Stage) -> None:
    async def is_done() -> bool:
        return verdict(await stage.orchestrator.return_to_service(NODE, mark())) is Verdict.DONE

    await until(is_done)


async def test_a_node_in_service_takes_jobs_is_nobodys_and_is_not_drained(stage: Stage):
    node = await seen(stage)
    assert (node.schedulable, node.drained, node.ownership) == (True, False, Ownership.NONE)
    assert node.hold is None
    assert not node.is_taken_back or node.schedulable


async def test_a_cordon_stops_new_jobs_and_is_signed(stage: Stage):
    await cordoned(stage)
    node = await seen(stage)
    assert (node.schedulable, node.ownership) == (False, Ownership.OURS)
    assert node.reason.split()[0] == "sickbay:inc-1:gpu-lost"
    assert mark().holds(node.hold)
    assert not node.is_taken_back


async def test_the_same_cordon_again_changes_nothing(stage: Stage):
    await cordoned(stage)
    before = await stage.record(NODE)
    await cordoned(stage)
    assert await stage.record(NODE) == before


async def test_a_cordon_for_a_second_incident_keeps_the_first_ones_mark(stage: Stage):
    await cordoned(stage)
    before = await stage.record(NODE)
    assert verdict(await stage.orchestrator.cordon(NODE, mark("inc-2"))) is Verdict.DONE
    assert await stage.record(NODE) == before


async def test_a_drain_lets_the_job_end_and_only_then_is_the_node_drained(stage: Stage):
    job = await stage.start_job(NODE)
    assert verdict(await stage.orchestrator.drain(NODE, mark(), Drain())) is Verdict.DONE
    node = await seen(stage)
    assert (node.schedulable, node.drained) == (False, False)
    assert [each.id for each in node.jobs or ()] == [job]
    assert await stage.is_running(NODE, job)
    await stage.end_job(NODE, job)

    async def is_drained() -> bool:
        return (await seen(stage)).drained is True

    await until(is_drained)
    assert await stage.orchestrator.jobs(NODE) == ()


async def test_what_a_person_drained_is_left_alone_by_every_verb(stage: Stage):
    await stage.person_drains(NODE, "bob: looking at the fans")
    before = await stage.record(NODE)
    node = await seen(stage)
    assert (node.ownership, node.schedulable, node.is_taken_back) == (Ownership.FOREIGN, False, True)
    outcomes = [
        await stage.orchestrator.cordon(NODE, mark()),
        await stage.orchestrator.drain(NODE, mark(), Drain()),
        await stage.orchestrator.reboot(NODE, mark()),
        await stage.orchestrator.return_to_service(NODE, mark()),
    ]
    assert [verdict(outcome) for outcome in outcomes] == [Verdict.FAILED] * 4
    assert "looking at the fans" in outcomes[0].detail
    assert await stage.record(NODE) == before
    assert await stage.reboots(NODE) == 0


async def test_a_person_who_returns_our_node_is_seen_and_has_the_last_word(stage: Stage):
    job = await stage.start_job(NODE)
    await cordoned(stage)
    await stage.person_resumes(NODE)

    async def is_taken_back() -> bool:
        return (await seen(stage)).is_taken_back

    await until(is_taken_back)
    node = await seen(stage)
    assert (node.ownership, node.drained) == (Ownership.NONE, False)
    before = await stage.record(NODE)
    assert verdict(await stage.orchestrator.return_to_service(NODE, mark())) is Verdict.DONE
    assert verdict(await stage.orchestrator.reboot(NODE, mark())) is Verdict.FAILED
    assert await stage.record(NODE) == before
    assert await stage.is_running(NODE, job)
    await stage.end_job(NODE, job)


async def test_a_person_who_writes_another_reason_over_ours_holds_the_node(stage: Stage):
    await cordoned(stage)
    await stage.person_drains(NODE, "bob: mine now")
    assert (await seen(stage)).ownership is Ownership.FOREIGN
    assert verdict(await stage.orchestrator.return_to_service(NODE, mark())) is Verdict.FAILED
    assert (await seen(stage)).reason.startswith("bob: mine now")


async def test_a_person_who_adds_to_our_reason_holds_the_node(stage: Stage):
    await cordoned(stage)
    await stage.person_drains(NODE, "sickbay:inc-1:gpu-lost and bob keeps it for the vendor")
    assert (await seen(stage)).ownership is Ownership.FOREIGN
    assert verdict(await stage.orchestrator.return_to_service(NODE, mark())) is Verdict.FAILED


async def test_a_return_leaves_the_node_as_it_was_before(stage: Stage):
    before = await stage.record(NODE)
    await cordoned(stage)
    await given_back(stage)
    assert await stage.record(NODE) == before
    assert (await seen(stage)).schedulable is True


async def test_the_same_return_again_changes_nothing(stage: Stage):
    await cordoned(stage)
    await given_back(stage)
    before = await stage.record(NODE)
    await given_back(stage)
    assert await stage.record(NODE) == before


async def test_one_incident_does_not_return_what_another_holds(stage: Stage):
    await cordoned(stage)
    before = await stage.record(NODE)
    assert verdict(await stage.orchestrator.return_to_service(NODE, mark("inc-2"))) is Verdict.FAILED
    assert await stage.record(NODE) == before


async def test_a_look_that_fails_is_unknown_and_lets_nothing_happen(stage: Stage):
    before = await stage.record(NODE)
    with stage.broken_looks():
        node = await seen(stage)
        assert (node.schedulable, node.drained, node.ownership) == (None, None, Ownership.UNKNOWN)
        assert node.detail
        assert not node.is_taken_back
        assert (await stage.orchestrator.observe_all([NODE]))[NODE].ownership is Ownership.UNKNOWN
        assert await stage.orchestrator.jobs(NODE) is None
        assert verdict(await stage.orchestrator.cordon(NODE, mark())) is Verdict.UNKNOWN
        assert verdict(await stage.orchestrator.return_to_service(NODE, mark())) is Verdict.UNKNOWN
        if stage.orchestrator.can_reboot:
            assert verdict(await stage.orchestrator.reboot(NODE, mark())) is Verdict.UNKNOWN
    assert await stage.record(NODE) == before


async def test_a_held_node_whose_look_fails_is_not_drained(stage: Stage):
    await cordoned(stage)
    with stage.broken_looks():
        assert (await seen(stage)).drained is None
        assert verdict(await stage.orchestrator.return_to_service(NODE, mark())) is Verdict.UNKNOWN
    assert (await seen(stage)).ownership is Ownership.OURS


async def test_a_leader_of_an_older_term_changes_nothing(stage: Stage):
    assert verdict(await stage.orchestrator.cordon(NODE, mark(term=5))) is Verdict.DONE
    before = await stage.record(NODE)
    assert verdict(await stage.orchestrator.return_to_service(NODE, mark(term=4))) is Verdict.FAILED
    assert verdict(await stage.orchestrator.cordon(OTHER, mark(term=4))) is Verdict.FAILED
    assert await stage.record(NODE) == before
    assert (await seen(stage, OTHER)).ownership is Ownership.NONE


async def test_one_look_at_all_nodes_says_the_same_as_a_look_at_each(stage: Stage):
    job = await stage.start_job(OTHER)
    await cordoned(stage)
    fleet = await stage.orchestrator.observe_all([NODE, OTHER])
    for node in (NODE, OTHER):
        alone = await seen(stage, node)
        together = fleet[node]
        assert (together.ownership, together.schedulable, together.hold) == (
            alone.ownership,
            alone.schedulable,
            alone.hold,
        )
    await stage.end_job(OTHER, job)


async def test_a_node_that_the_scheduler_does_not_know_is_unknown(stage: Stage):
    if not stage.knows_its_nodes:
        pytest.skip("without a scheduler there is no list of nodes")
    stranger = NodeName("n77")
    assert (await seen(stage, stranger)).ownership is Ownership.UNKNOWN
    assert (await stage.orchestrator.observe_all([NODE, stranger]))[stranger].ownership is Ownership.UNKNOWN
    assert verdict(await stage.orchestrator.cordon(stranger, mark())) is Verdict.UNKNOWN


async def test_a_reboot_that_is_not_the_schedulers_is_refused(stage: Stage):
    if stage.orchestrator.can_reboot:
        pytest.skip(f"{stage.orchestrator.name} reboots nodes")
    await cordoned(stage)
    assert verdict(await stage.orchestrator.reboot(NODE, mark())) is Verdict.FAILED


@pytest.fixture
def rebooting(stage: Stage) -> Stage:
    if not stage.orchestrator.can_reboot:
        pytest.skip(f"{stage.orchestrator.name} does not reboot nodes: their agents do")
    return stage


async def reboot_is(stage: Stage, progress: RebootProgress) -> None:
    async def has_come() -> bool:
        return (await seen(stage)).reboot is progress

    await until(has_come)


async def test_a_reboot_waits_for_the_drain(rebooting: Stage):
    job = await rebooting.start_job(NODE)
    await cordoned(rebooting)
    assert verdict(await rebooting.orchestrator.reboot(NODE, mark())) is Verdict.RETRY
    assert (await seen(rebooting)).reboot is RebootProgress.NONE
    assert await rebooting.is_running(NODE, job)
    await rebooting.end_job(NODE, job)


async def test_a_node_that_we_do_not_hold_is_not_rebooted(rebooting: Stage):
    assert verdict(await rebooting.orchestrator.reboot(NODE, mark())) is Verdict.FAILED
    assert (await seen(rebooting)).reboot is RebootProgress.NONE


async def test_a_rebooted_node_stays_out_until_we_return_it(rebooting: Stage):
    before = await rebooting.record(NODE)
    await cordoned(rebooting)
    assert verdict(await rebooting.orchestrator.reboot(NODE, mark(action="r1"))) is Verdict.DONE
    await reboot_is(rebooting, RebootProgress.ISSUED)
    assert (await seen(rebooting)).drained is None
    assert verdict(await rebooting.orchestrator.cordon(NODE, mark())) is Verdict.RETRY
    await rebooting.finish_reboot(NODE)
    await reboot_is(rebooting, RebootProgress.COMPLETE)
    node = await seen(rebooting)
    assert (node.schedulable, node.drained, node.ownership) == (False, True, Ownership.OURS)
    await cordoned(rebooting)  # asked again, as after every boot
    node = await seen(rebooting)
    assert (node.schedulable, node.drained, node.ownership) == (False, True, Ownership.OURS)
    assert node.reboot is RebootProgress.COMPLETE
    await given_back(rebooting)
    assert await rebooting.record(NODE) == before
    await rebooting.end_job(NODE, await rebooting.start_job(NODE))


async def test_one_action_reboots_once_however_often_it_is_asked_for(rebooting: Stage):
    await cordoned(rebooting)
    for _ in range(2):
        assert verdict(await rebooting.orchestrator.reboot(NODE, mark(action="r1"))) is Verdict.DONE
    await reboot_is(rebooting, RebootProgress.ISSUED)
    assert verdict(await rebooting.orchestrator.reboot(NODE, mark(action="r1"))) is Verdict.DONE
    await rebooting.finish_reboot(NODE)
    await reboot_is(rebooting, RebootProgress.COMPLETE)
    assert verdict(await rebooting.orchestrator.reboot(NODE, mark(action="r1"))) is Verdict.DONE
    await cordoned(rebooting)
    assert verdict(await rebooting.orchestrator.reboot(NODE, mark(action="r1"))) is Verdict.DONE
    assert (await seen(rebooting)).reboot is RebootProgress.COMPLETE
    assert await rebooting.reboots(NODE) == 1


@pytest.mark.parametrize("renew", [True, False], ids=["hold renewed", "hold not renewed"])
async def test_another_action_reboots_again_and_the_mark_survives(rebooting: Stage, *, renew: bool):
    await cordoned(rebooting)
    for round_, action in enumerate(("r1", "r2"), start=1):
        assert verdict(await rebooting.orchestrator.reboot(NODE, mark(action=action))) is Verdict.DONE
        await reboot_is(rebooting, RebootProgress.ISSUED)
        await rebooting.finish_reboot(NODE)
        await reboot_is(rebooting, RebootProgress.COMPLETE)
        assert (await seen(rebooting)).ownership is Ownership.OURS
        assert await rebooting.reboots(NODE) == round_
        if renew:
            await cordoned(rebooting)
    await given_back(rebooting)


async def test_no_incident_reboots_what_another_holds(rebooting: Stage):
    await cordoned(rebooting)
    assert verdict(await rebooting.orchestrator.reboot(NODE, mark("inc-2"))) is Verdict.FAILED
    assert (await seen(rebooting)).reboot is RebootProgress.NONE


async def test_a_node_that_a_person_takes_out_through_us_is_theirs(stage: Stage):
    assert verdict(await stage.orchestrator.hold(NODE, "operator alice: a fan rattles")) is Verdict.DONE
    node = await seen(stage)
    assert (node.schedulable, node.ownership) == (False, Ownership.FOREIGN)
    assert node.reason.startswith("operator alice: a fan rattles")
    assert verdict(await stage.orchestrator.cordon(NODE, mark())) is Verdict.FAILED


async def test_a_person_who_takes_out_what_we_hold_takes_it_from_us(stage: Stage):
    await cordoned(stage)
    assert verdict(await stage.orchestrator.hold(NODE, "operator alice: mine now")) is Verdict.DONE
    assert (await seen(stage)).is_taken_back


async def test_a_person_who_takes_out_what_another_holds_changes_nothing(stage: Stage):
    await stage.orchestrator.hold(NODE, "operator alice: a fan rattles")
    before = await stage.record(NODE)
    assert verdict(await stage.orchestrator.hold(NODE, "operator bob: me too")) is Verdict.DONE
    assert await stage.record(NODE) == before


async def test_a_person_gives_back_whatever_was_held(stage: Stage):
    await cordoned(stage)

    async def is_back() -> bool:
        return verdict(await stage.orchestrator.release(NODE)) is Verdict.DONE

    await until(is_back)
    node = await seen(stage)
    assert (node.schedulable, node.ownership) == (True, Ownership.NONE)
