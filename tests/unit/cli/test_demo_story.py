from dataclasses import replace

from tests.fakes.words import an_incident

from sickbay.cli.demo_story import steps_so_far
from sickbay.core.gates import Decision, Finding
from sickbay.core.incidents import Incident
from sickbay.core.milestones import Milestones

PASSED = Finding(gate="mode", passed=True, why="rule says act, the cluster allows act")
HELD = Finding(gate="owner", passed=False, why="held by someone else: maintenance")


def names(incident: Incident) -> list[str]:
    return [told.step for told in steps_so_far(incident, None)]


def test_nothing_is_told_that_was_not_reached():
    incident = replace(an_incident(), milestones=Milestones(t1=10.0, t2=10.2))
    assert names(incident) == ["detected", "incident"]


def test_each_gate_is_told_with_what_it_said():
    decision = Decision(allowed=False, at=10.3, findings=(PASSED, HELD))
    incident = replace(an_incident(), milestones=Milestones(t1=10.0, t2=10.2), decision=decision)
    told = steps_so_far(incident, None)
    assert [step.step for step in told[2:]] == ["gate:mode", "gate:owner"]
    assert [step.detail.split(":")[0] for step in told[2:]] == ["passed", "held"]


def test_the_way_back_is_told_in_its_order():
    marks = Milestones(t1=1.0, t2=1.1, t3=1.2, t4=1.3, t5=1.4, t6=4.0, t7=6.0, t8=6.1)
    incident = replace(an_incident(), milestones=marks)
    assert names(incident)[2:] == [
        "cordoned", "drained", "rebooting", "rebooted", "validated", "returned",
    ]  # fmt: skip


def test_what_the_gates_say_before_a_later_repair_is_not_told_as_the_cordon_s():
    decision = Decision(allowed=True, at=99.0, findings=(PASSED,))
    incident = replace(an_incident(), milestones=Milestones(t1=1.0, t2=1.1, t3=1.2), decision=decision)
    assert names(incident) == ["detected", "incident", "cordoned"]
