"""What becomes one incident, what explains it, and when it is over."""

from dataclasses import replace

from sickbay.core.conditions import Condition, Mode, Severity, Status
from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.ids import BootId, NodeName, RemediationId, RuleId
from sickbay.core.incidents import Circumstances, Incident, correlate, strongest_remedy

HERE = Circumstances(
    node=NodeName("n1"),
    boot_id=BootId("boot-1"),
    strength={"reset": (1, 2, 4), "reboot": (2, 4), "none": ()},
)

GPU = Subject(scope=Scope.GPU, gpu_uuid="GPU-1", pci="0000:1b:00")


def condition(type_: str = "GpuLost", **changes: object) -> Condition:
    made = Condition(
        type=type_,
        subject=GPU,
        status=Status.TRUE,
        severity=Severity.FATAL,
        rule=RuleId(type_.lower()),
        reason=type_.upper(),
        message=f"{type_} it is",
        since=10.0,
        observed_at=11.0,
        boot_id=BootId("boot-1"),
        remedy="reboot",
        mode=Mode.ACT,
        family=type_.lower(),
        t0=9.8,
        t1=9.9,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def incidents(*conditions: Condition, known: tuple[Incident, ...] = (), now: float = 12.0, **given: object):
    return correlate(known, conditions, given=replace(HERE, **given), now=now).incidents  # type: ignore[arg-type]


def only(found: tuple[Incident, ...]) -> Incident:
    (incident,) = found
    return incident


def test_an_incident_carries_the_first_points_of_its_faults_clock():
    milestones = only(incidents(condition())).milestones
    assert (milestones.t0, milestones.t1, milestones.t2, milestones.t3) == (9.8, 9.9, 12.0, None)


def test_faults_of_one_gpu_share_an_incident_and_the_furthest_remedy_explains_it():
    ecc = condition("Ecc", remedy="reset", severity=Severity.FATAL)
    lost = condition("GpuLost", severity=Severity.CRITICAL)
    found = only(incidents(ecc, lost))
    assert (found.reason, found.remedy, found.severity) == ("GPULOST", "reboot", Severity.FATAL)
    assert found.conditions == (lost.key, ecc.key)


def test_a_link_belongs_to_its_gpu_and_the_node_stands_by_itself():
    link = condition("LinkDown", subject=Subject(scope=Scope.LINK, pci="0000:1b:00", link=3))
    node = condition("DiskFull", subject=NODE)
    assert len(incidents(condition(), link, node)) == 2


def test_a_rule_on_trial_does_not_hold_back_a_proven_one():
    on_trial = condition("Guess", remedy="reboot", mode=Mode.OBSERVE)
    proven = condition("Ecc", remedy="reset", mode=Mode.ACT)
    found = only(incidents(on_trial, proven))
    assert (found.mode, found.remedy) == (Mode.ACT, "reset")


def test_an_injected_fault_does_not_hide_a_real_one():
    drill = condition("GpuLost", synthetic=True)
    real = condition("Ecc", remedy="", severity=Severity.WARNING)
    found = only(incidents(drill, real))
    assert (found.synthetic, found.reason) == (False, "ECC")


def test_what_is_only_said_for_information_opens_nothing():
    assert incidents(condition(severity=Severity.INFO)) == ()


def test_a_cause_that_has_cleared_explains_no_longer_what_is_left():
    warning = condition("Warm", remedy="", severity=Severity.WARNING, mode=Mode.OBSERVE)
    both = incidents(condition(), warning)
    left = only(incidents(warning, known=both, now=20.0))
    assert left.id == only(both).id
    assert (left.reason, left.remedy, left.severity) == ("WARM", "", Severity.WARNING)


def test_an_incident_ends_when_its_conditions_have_cleared():
    known = incidents(condition())
    ended = only(incidents(condition(status=Status.FALSE), known=known, now=20.0))
    assert (ended.closed_at, ended.closed_because) == (20.0, "its conditions cleared")


def test_an_incident_that_is_being_repaired_ends_with_the_proof_and_not_before():
    held = replace(only(incidents(condition())), remediation=RemediationId("rem-1"))
    assert only(incidents(known=(held,), active=RemediationId("rem-1"))).is_open
    assert not only(incidents(known=(held,), active=RemediationId("rem-2"))).is_open
    assert not only(incidents(known=(held,))).is_open
    assert held.repaired(at=30.0).closed_because == "repaired and validated"


def test_a_new_boot_that_does_not_show_the_fault_ends_it_and_one_that_does_keeps_it():
    known = incidents(condition())
    gone = only(incidents(known=known, boot_id=BootId("boot-2")))
    assert gone.closed_because == "a new boot does not show it"
    again = condition(boot_id=BootId("boot-2"))
    kept = only(incidents(again, known=known, boot_id=BootId("boot-2")))
    assert (kept.id, kept.boot_id, kept.is_open) == (only(known).id, "boot-2", True)


def test_the_same_cause_told_again_opens_the_same_incident_with_its_story():
    known = replace(only(incidents(condition())), snoozed=True, remediation=RemediationId("rem-1"))
    ended = incidents(known=(known,), now=20.0)
    again = only(incidents(condition(), known=ended, now=30.0))
    assert (again.id, again.snoozed, again.remediation) == (known.id, True, "rem-1")


def test_a_fault_of_a_family_that_a_person_has_in_hand_opens_snoozed():
    assert only(incidents(condition(), snoozed={"gpulost"})).snoozed
    assert not only(incidents(condition(), snoozed={"ecc"})).snoozed


def test_the_strongest_of_some_remedies():
    assert strongest_remedy(["", "reset", "reboot", "none"], HERE.strength) == "reboot"
    assert strongest_remedy([""], HERE.strength) == ""
