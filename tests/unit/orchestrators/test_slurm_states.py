import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import Job, Ownership, RebootProgress
from sickbay.orchestrators.slurm_states import HANDS_OFF, SlurmNode, judge, read_reason
from sickbay.orchestrators.slurm_text import BASES, FLAGS, NodeRecord, split_state

OURS = "sickbay:inc-1:gpu-lost"
TAG = "1f0c9a3e"


def judged(
    state: str, reason: str = "", *, jobs: tuple[Job, ...] | None = (), prefix: str = "sickbay"
) -> SlurmNode:
    base, flags, unknown = split_state(state)
    record = NodeRecord(
        node=NodeName("n1"), state=state, base=base, flags=flags, unknown_words=unknown, reason=reason
    )
    return judge(record, jobs, at=1000.0, prefix=prefix)


@pytest.mark.parametrize(
    ("state", "reason", "drained"),
    [
        ("IDLE+DRAIN", OURS, True),
        ("IDLE+DRAIN+RESERVED", OURS, True),
        ("IDLE+DRAIN+INVALID_REG", OURS, True),
        ("IDLE+DRAIN", "bob: fans", True),
        ("IDLE", "", False),
        ("MIXED", "", False),
        ("MIXED+DRAIN", OURS, False),
        ("ALLOCATED+DRAIN", OURS, False),
        ("IDLE+COMPLETING+DRAIN", OURS, False),
        ("DOWN+COMPLETING+DRAIN", OURS, False),
        ("IDLE+DRAIN+NOT_RESPONDING", OURS, None),
        ("IDLE+DRAIN+REBOOT_REQUESTED", OURS, None),
        ("IDLE+DRAIN+POWERING_DOWN", OURS, None),
        ("DOWN", "Not responding", None),
        ("DOWN+DRAIN", OURS, None),
        ("DOWN+DRAIN+REBOOT_ISSUED", f"{OURS} : reboot {TAG} : reboot issued", None),
        ("DOWN", f"{OURS} : reboot {TAG} : reboot issued : reboot complete", True),
        ("DOWN", f"{OURS} : reboot {TAG} : reboot issued : reboot timed out", True),
        ("DOWN+DRAIN", f"{OURS} : rebooted {TAG}", True),
        ("UNKNOWN", "", None),
        ("IDLE+FAIL", "why", False),
    ],
)
def test_drained_is_drain_and_idle_and_not_completing(state: str, reason: str, drained: bool | None):  # noqa: FBT001 - a table's column
    assert judged(state, reason).observation.drained is drained


def test_a_job_that_squeue_still_lists_keeps_an_idle_node_from_being_drained():
    assert judged("IDLE+DRAIN", OURS, jobs=(Job(id="7"),)).observation.drained is False


def test_without_a_list_of_jobs_nothing_is_drained():
    node = judged("IDLE+DRAIN", OURS, jobs=None).observation
    assert (node.drained, node.jobs) == (None, None)
    assert "could not be listed" in node.detail


@pytest.mark.parametrize(
    ("state", "schedulable"),
    [
        ("IDLE", True),
        ("MIXED+PLANNED", True),
        ("ALLOCATED+COMPLETING", True),
        ("IDLE+CLOUD", True),
        ("IDLE+NOT_RESPONDING", None),
        ("IDLE+POWERED_DOWN", None),
        ("IDLE+REBOOT_REQUESTED", None),
        ("IDLE+DRAIN", False),
        ("DOWN", False),
        ("MIXED+FAIL", False),
        ("FUTURE", False),
    ],
)
def test_a_node_takes_jobs_when_nothing_says_otherwise(state: str, schedulable: bool | None):  # noqa: FBT001 - a table's column
    assert judged(state).observation.schedulable is schedulable


@pytest.mark.parametrize("state", ["UNKNOWN", "ERROR", "UNKNOWN+NOT_RESPONDING"])
def test_a_node_that_slurmctld_has_not_heard_of_yet_is_nobodys_to_judge(state: str):
    node = judged(state).observation
    assert (node.schedulable, node.ownership, node.is_taken_back) == (None, Ownership.UNKNOWN, False)


def test_a_hold_is_ours_while_slurmctld_waits_for_the_node():
    node = judged("UNKNOWN+DRAIN", OURS).observation
    assert (node.schedulable, node.drained, node.ownership) == (False, None, Ownership.OURS)


def test_a_word_that_is_not_known_makes_all_unknown_and_is_kept():
    node = judged("IDLE+QUARANTINED", OURS).observation
    assert (node.schedulable, node.drained, node.ownership) == (None, None, Ownership.UNKNOWN)
    assert node.state == "IDLE+QUARANTINED"
    assert "QUARANTINED" in node.detail


@pytest.mark.parametrize("flag", sorted(HANDS_OFF))
def test_a_state_that_is_somebody_elses_work_is_named(flag: str):
    assert judged(f"IDLE+{flag}").observation.obstacle == flag


def test_a_reboot_that_is_not_ours_is_in_the_way():
    assert judged("IDLE+REBOOT_REQUESTED", "reboot requested").observation.obstacle == "REBOOT_REQUESTED"
    ours = judged("IDLE+DRAIN+REBOOT_REQUESTED", f"{OURS} : reboot {TAG}").observation
    assert (ours.obstacle, ours.reboot) == ("", RebootProgress.REQUESTED)


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "bob: fans",
        "Not responding",
        "gres/gpu count reported lower than configured (7 < 8)",
        "Reboot ASAP : reboot issued : reboot complete",
        "reboot issued : reboot complete",
        "sickbay",
        "sickbay:inc-1",
        "sickbay:inc-1:",
        "sickbay::r",
        "sickbayish:inc-1:r",
        f"{OURS} and bob",
        f"{OURS} : bob was here",
        f"bob: {OURS}",
        f"{OURS} : reboot {TAG} : reboot issued, bob",
    ],
)
def test_what_is_not_wholly_ours_is_someone_elses(reason: str):
    assert judged("IDLE+DRAIN", reason).observation.ownership is Ownership.FOREIGN


@pytest.mark.parametrize(
    ("reason", "tag", "progress"),
    [
        (OURS, "", RebootProgress.NONE),
        (f"{OURS} : reboot {TAG}", TAG, RebootProgress.NONE),
        (f"{OURS} : reboot issued", "", RebootProgress.ISSUED),
        (f"{OURS} : reboot {TAG} : reboot issued", TAG, RebootProgress.ISSUED),
        (f"{OURS} : reboot {TAG} : reboot issued : reboot complete", TAG, RebootProgress.COMPLETE),
        (f"{OURS} : reboot {TAG} : reboot issued : reboot timed out", TAG, RebootProgress.TIMED_OUT),
        (f"{OURS} : rebooted {TAG}", TAG, RebootProgress.COMPLETE),
        (f"{OURS} : overdue {TAG}", TAG, RebootProgress.TIMED_OUT),
        (f"{OURS} : rebooted {TAG} : reboot issued : reboot complete", TAG, RebootProgress.COMPLETE),
    ],
)
def test_our_reason_tells_which_reboot_it_saw_and_how_far_it_came(
    reason: str, tag: str, progress: RebootProgress
):
    ours = read_reason(reason, prefix="sickbay")
    assert ours is not None
    assert (ours.hold.reason, ours.tag, ours.progress) == (OURS, tag, progress)


@pytest.mark.parametrize(
    "tail", ["", " : reboot issued : reboot complete", " : reboot issued : reboot timed out"]
)
def test_a_renewed_reason_says_the_same_without_slurms_own_words(tail: str):
    """slurmctld replaces a reason that holds its words already, and our mark would be gone."""
    ours = read_reason(f"{OURS} : reboot {TAG}{tail}", prefix="sickbay")
    assert ours is not None
    again = read_reason(ours.renewed, prefix="sickbay")
    assert again is not None
    assert (again.hold, again.progress) == (ours.hold, ours.progress)
    for words in ("reboot issued", "reboot complete", "reboot timed out"):
        assert words not in ours.renewed
        assert words not in ours.about_to_reboot(TAG)


def test_another_prefix_is_someone_else():
    assert judged("IDLE+DRAIN", OURS, prefix="other").observation.ownership is Ownership.FOREIGN


_states = st.builds(
    lambda base, flags: "+".join([base, *sorted(flags)]),
    st.sampled_from(sorted(BASES)),
    st.sets(st.sampled_from(sorted(FLAGS)), max_size=4),
)
_reasons = st.sampled_from(
    ["", "bob", OURS, f"{OURS} : reboot {TAG} : reboot issued : reboot complete", f"{OURS} : rebooted {TAG}"]
)
_jobs = st.sampled_from([None, (), (Job(id="1"),)])


@given(_states, _reasons, _jobs)
def test_no_state_is_drained_while_work_may_run_or_start(
    state: str, reason: str, jobs: tuple[Job, ...] | None
):
    node = judged(state, reason, jobs=jobs).observation
    if node.drained:
        assert jobs == ()
        assert node.schedulable is False
        assert not {"COMPLETING", "REBOOT_ISSUED", "REBOOT_REQUESTED"} & set(state.split("+"))
        assert state.startswith("IDLE") or node.ownership is Ownership.OURS


@given(_states, _reasons, _jobs)
def test_only_a_node_that_is_held_has_an_owner(state: str, reason: str, jobs: tuple[Job, ...] | None):
    node = judged(state, reason, jobs=jobs).observation
    if node.ownership is not Ownership.UNKNOWN:
        assert (node.ownership is Ownership.NONE) is (node.schedulable is not False)
