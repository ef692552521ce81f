"""The faults that the fake can play, which no contract asks for."""

from dataclasses import dataclass

from tests.fakes.orchestrator import FakeOrchestrator, Fault

from sickbay.core.ids import ActionId, IncidentId, NodeName, RuleId
from sickbay.core.instants import Instant
from sickbay.core.orchestration import Mark, Ownership, RebootProgress
from sickbay.core.outcomes import Verdict

NODE = NodeName("n1")
MARK = Mark(incident=IncidentId("inc-1"), rule=RuleId("gpu-lost"), action_id=ActionId("a"))


@dataclass
class HandClock:
    at: float = 1000.0

    def now(self) -> Instant:
        return Instant(mono=self.at, wall=self.at)

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


def fake(**more: object) -> FakeOrchestrator:
    return FakeOrchestrator(clock=HandClock(), names=[NODE], **more)


async def test_a_lost_reply_leaves_the_effect():
    orchestrator = fake()
    orchestrator.will("cordon", Fault.REPLY_LOST)
    assert (await orchestrator.cordon(NODE, MARK)).verdict is Verdict.UNKNOWN
    assert (await orchestrator.observe(NODE)).ownership is Ownership.OURS
    assert (await orchestrator.cordon(NODE, MARK)).verdict is Verdict.DONE
    assert [effect.verb for effect in orchestrator.effects] == ["cordon"]


async def test_a_refusal_and_no_answer_leave_no_effect():
    orchestrator = fake()
    orchestrator.will("cordon", Fault.REFUSED)
    orchestrator.will("cordon", Fault.NO_ANSWER)
    verdicts = [(await orchestrator.cordon(NODE, MARK)).verdict for _ in range(3)]
    assert verdicts == [Verdict.FAILED, Verdict.UNKNOWN, Verdict.DONE]
    assert len(orchestrator.effects) == 1


async def test_jobs_end_and_machines_boot_when_their_time_has_come():
    clock = HandClock()
    booting: list[NodeName] = []
    orchestrator = FakeOrchestrator(clock=clock, names=[NODE], boot_seconds=60, on_reboot=booting.append)
    orchestrator.start_job(NODE, seconds=10)
    await orchestrator.cordon(NODE, MARK)
    assert (await orchestrator.observe(NODE)).drained is False
    clock.at += 10
    assert (await orchestrator.observe(NODE)).drained is True
    await orchestrator.reboot(NODE, MARK)
    assert booting == [NODE]
    clock.at += 59
    assert (await orchestrator.observe(NODE)).reboot is RebootProgress.ISSUED
    clock.at += 1
    assert (await orchestrator.observe(NODE)).reboot is RebootProgress.COMPLETE
