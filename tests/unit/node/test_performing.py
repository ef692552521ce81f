"""Repairs: once, under a grant that holds here and now, journalled before they begin."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.fakes.node_parts import BOOT, Parts

from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import Directive, Grant, Verb
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.node.performing import Performer


@dataclass
class Actuator:
    """Counts what it did; waits while it is held."""

    outcome: Outcome = field(default_factory=lambda: Outcome.done("did it"))
    done: list[ActionId] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, directive: Directive) -> Outcome:
        await self.go.wait()
        self.done.append(directive.grant.action_id)
        return self.outcome


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    made.spool.start(made.history)
    yield made
    await made.spool.close()


@pytest.fixture
def reboot() -> Actuator:
    actuator = Actuator()
    actuator.go.set()
    return actuator


@pytest.fixture
def performer(parts: Parts, reboot: Actuator) -> Performer:
    async def sweep() -> Outcome:
        return Outcome.done("8 GPUs show")

    return Performer(
        identity=parts.status.identity,
        clock=parts.clock,
        spool=parts.spool,
        actuators={Verb.REBOOT: reboot, Verb.COLLECT_EVIDENCE: reboot},
        sweep=sweep,
        term=3,
    )


def directive(parts: Parts, verb: Verb = Verb.REBOOT, **changes: object) -> Directive:
    grant = Grant(
        action_id=ActionId("a1"),
        node=NodeName("n1"),
        boot_id=BOOT,
        term=3,
        expires_at=parts.clock.now().wall + 15.0,
    )
    return Directive(verb=verb, grant=replace(grant, **changes))  # type: ignore[arg-type]


async def test_a_repair_under_a_good_grant_is_done_once_and_its_outcome_stays(
    parts: Parts,
    performer: Performer,
    reboot: Actuator,
) -> None:
    for _ in range(3):
        assert await performer.perform(directive(parts)) == Outcome.done("did it")
    assert reboot.done == ["a1"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"node": NodeName("n2")}, "the grant is for node n2"),
        ({"boot_id": BootId("boot-0")}, "another boot (boot-0)"),
        ({"term": 2}, "of term 2, and term 3 has begun"),
        ({"expires_at": 0.0}, "ran out"),
    ],
)
async def test_no_other_grant_is_leave_to_act(
    parts: Parts,
    performer: Performer,
    reboot: Actuator,
    changes: dict[str, object],
    said: str,
) -> None:
    outcome = await performer.perform(directive(parts, **changes))
    assert outcome.verdict is Verdict.FAILED
    assert said in outcome.detail
    assert reboot.done == []
    assert await parts.spool.used(ActionId("a1")) is None


async def test_looking_is_not_refused_for_a_grant_that_ran_out(parts: Parts, performer: Performer) -> None:
    for verb in (Verb.SWEEP, Verb.COLLECT_EVIDENCE):
        assert (await performer.perform(directive(parts, verb, expires_at=0.0))).verdict is Verdict.DONE


async def test_a_verb_that_this_version_does_not_have_is_refused(parts: Parts, performer: Performer) -> None:
    outcome = await performer.perform(directive(parts, Verb.RESET_GPU))
    assert outcome.verdict is Verdict.FAILED
    assert "not supported by this version" in outcome.detail


async def test_what_is_under_way_is_not_begun_again(
    parts: Parts, performer: Performer, reboot: Actuator
) -> None:
    reboot.go.clear()
    first = asyncio.create_task(performer.perform(directive(parts)))
    while await parts.spool.used(ActionId("a1")) is None:
        await asyncio.sleep(0)
    assert (await performer.perform(directive(parts))).verdict is Verdict.RETRY
    reboot.go.set()
    assert (await first).verdict is Verdict.DONE
    assert reboot.done == ["a1"]


async def test_a_repair_that_was_cut_off_is_unknown_afterwards(
    parts: Parts,
    performer: Performer,
    reboot: Actuator,
) -> None:
    reboot.go.clear()
    first = asyncio.create_task(performer.perform(directive(parts)))
    while await parts.spool.used(ActionId("a1")) is None:
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    reboot.go.set()
    assert (await performer.perform(directive(parts))).verdict is Verdict.UNKNOWN
    assert reboot.done == []


async def test_an_outcome_of_try_again_may_be_tried_again(
    parts: Parts,
    performer: Performer,
    reboot: Actuator,
) -> None:
    reboot.outcome = Outcome.retry("busy")
    await performer.perform(directive(parts))
    reboot.outcome = Outcome.done("now")
    assert await performer.perform(directive(parts)) == Outcome.done("now")
    assert len(reboot.done) == 2


async def test_what_cannot_be_journalled_is_not_done_but_evidence_is_kept_all_the_same(
    parts: Parts,
    performer: Performer,
    reboot: Actuator,
) -> None:
    parts.spool._refusal = "disk full"
    outcome = await performer.perform(directive(parts))
    assert outcome.verdict is Verdict.FAILED
    assert "cannot be journalled first: disk full" in outcome.detail
    assert reboot.done == []
    assert (await performer.perform(directive(parts, Verb.COLLECT_EVIDENCE))).verdict is Verdict.DONE
    parts.spool._refusal = ""
