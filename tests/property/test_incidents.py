"""Correlation says the same whatever the order, says it again without change, and loses nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.conditions import Condition, Mode, Severity, Status
from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.ids import BootId, NodeName, RemediationId, RuleId
from sickbay.core.incidents import Circumstances, Incident, correlate

BOOT, EARLIER = BootId("boot-2"), BootId("boot-1")

STRENGTH = {"reset": (1, 2), "reboot": (2,), "none": ()}

subjects = st.sampled_from(
    [
        NODE,
        Subject(scope=Scope.GPU, pci="0000:1b:00"),
        Subject(scope=Scope.GPU, pci="0000:2c:00"),
        Subject(scope=Scope.LINK, pci="0000:2c:00", link=3),
        Subject(scope=Scope.PORT, name="mlx5_0"),
    ],
)

conditions = st.builds(
    Condition,
    type=st.sampled_from(["GpuLost", "Ecc", "Thermal"]),
    subject=subjects,
    status=st.sampled_from(Status),
    severity=st.sampled_from(Severity),
    rule=st.sampled_from(["a", "b"]).map(RuleId),
    reason=st.sampled_from(["XID_79", "XID_48"]),
    message=st.just("said"),
    since=st.integers(1, 3).map(float),
    observed_at=st.just(4.0),
    boot_id=st.sampled_from([BOOT, BOOT, EARLIER]),
    remedy=st.sampled_from(["", "reset", "reboot", "none", "unheard-of"]),
    mode=st.sampled_from(Mode),
    family=st.sampled_from(["gpu", "ecc"]),
    caused_by=st.sampled_from(["", "79"]),
    synthetic=st.booleans(),
)

levels = st.lists(conditions, max_size=8, unique_by=lambda c: c.key)

given_now = st.builds(
    Circumstances,
    node=st.just(NodeName("n1")),
    boot_id=st.just(BOOT),
    strength=st.just(STRENGTH),
    active=st.sampled_from([None, RemediationId("rem-1")]),
    snoozed=st.sampled_from([frozenset(), frozenset({"gpu"})]),
)


def told(known: tuple[Incident, ...], level: list[Condition], here: Circumstances, now: float):
    return correlate(known, level, given=here, now=now)


@given(before=levels, level=levels, here=given_now)
def test_saying_it_twice_changes_nothing(
    before: list[Condition], level: list[Condition], here: Circumstances
):
    known = told((), before, here, 1.0).incidents
    first = told(known, level, here, 2.0)
    again = told(first.incidents, level, here, 3.0)
    assert again.changed == ()
    assert again.incidents == first.incidents


@given(before=levels, level=levels, here=given_now, data=st.data())
def test_the_order_of_what_is_told_makes_no_difference(
    before: list[Condition],
    level: list[Condition],
    here: Circumstances,
    data: st.DataObject,
):
    known = told((), before, here, 1.0).incidents
    shuffled = tuple(data.draw(st.permutations(known)))
    assert told(shuffled, data.draw(st.permutations(level)), here, 2.0) == told(known, level, here, 2.0)


@given(before=levels, level=levels, here=given_now)
def test_every_present_fault_is_in_exactly_one_open_incident(
    before: list[Condition],
    level: list[Condition],
    here: Circumstances,
):
    known = told((), before, here, 1.0).incidents
    found = [i for i in told(known, level, here, 2.0).incidents if i.is_open]
    grave = [c for c in level if c.is_open and c.boot_id == BOOT and c.severity.rank >= Severity.WARNING.rank]
    for condition in grave:
        assert sum(condition.key in incident.conditions for incident in found) == 1


@given(level=levels, here=given_now)
def test_what_became_unknown_does_not_end_an_incident(level: list[Condition], here: Circumstances):
    known = told((), level, here, 1.0).incidents
    doubtful = [replace(c, status=Status.UNKNOWN) for c in level if c.status is not Status.FALSE]
    after = told(known, doubtful, here, 2.0)
    assert [i.is_open for i in after.incidents] == [True] * len(known)


@given(level=levels, here=given_now)
def test_what_has_cleared_ends_and_the_same_cause_opens_the_same_incident(
    level: list[Condition],
    here: Circumstances,
):
    known = told((), level, here, 1.0).incidents
    ended = told(known, [], here, 2.0).incidents
    assert not any(i.is_open for i in ended)
    again = told(ended, level, here, 3.0).incidents
    assert {i.id for i in again} == {i.id for i in known}
    assert all(i.is_open for i in again)


@given(level=levels, here=given_now)
def test_a_drill_beside_a_real_fault_never_makes_the_incident_synthetic(
    level: list[Condition],
    here: Circumstances,
):
    for incident in told((), level, here, 1.0).incidents:
        of_it = [c for c in level if c.key in incident.conditions and c.boot_id == BOOT and c.is_open]
        assert incident.synthetic == all(c.synthetic for c in of_it)


@given(level=levels, here=given_now)
def test_the_cause_may_act_if_anything_real_may(level: list[Condition], here: Circumstances):
    for incident in told((), level, here, 1.0).incidents:
        of_it = [c for c in level if c.key in incident.conditions and c.is_open and c.boot_id == BOOT]
        may_act = [
            c
            for c in of_it
            if c.mode is Mode.ACT and STRENGTH.get(c.remedy) and c.synthetic == incident.synthetic
        ]
        if may_act:
            assert incident.mode is Mode.ACT
            assert STRENGTH[incident.remedy] == max(STRENGTH[c.remedy] for c in may_act)
