"""Which GPUs are left out, and when one is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from sickbay.host.nvml.exclusions import Backoff, Cause, Exclusions
from sickbay.host.nvml.readings import GpuState, Hang

BACKOFF = Backoff(first=60.0, longest=3600.0)
NONE = Exclusions(backoff=BACKOFF)
A, B = "0000:1b:00", "0000:43:00"


def test_waits_double_up_to_an_hour():
    assert [BACKOFF.after(n) for n in (0, 1, 2, 3, 7, 10_000)] == [0.0, 60.0, 120.0, 240.0, 3600.0, 3600.0]


def test_a_gpu_is_tried_again_after_its_wait_and_not_before():
    out = NONE.leave_out(A, cause=Cause.HUNG, because="a call hung", now=100.0)
    assert out.due(159.9) is None
    due = out.due(160.0)
    assert due is not None
    assert due.target == A


def test_a_try_that_fails_doubles_the_wait():
    out = NONE.leave_out(A, cause=Cause.HUNG, because="hung", now=0.0)
    out = out.leave_out(A, cause=Cause.HUNG, because="hung again", now=60.0)
    assert out.by_target[A].retry_at == 180.0
    assert out.by_target[A].because == "hung again"
    assert out.postpone(A, 180.0).by_target[A].retry_at == 420.0


def test_an_order_changes_nothing_for_a_gpu_that_is_left_out_already():
    out = NONE.leave_out(A, cause=Cause.LOST, because="GPU_IS_LOST", now=0.0)
    for _ in range(1000):
        out = out.leave_out(A, cause=Cause.TOLD, because="Xid 79", now=1.0)
    assert (out.by_target[A].cause, out.by_target[A].tried) == (Cause.LOST, 1)


def test_each_cause_has_its_state_in_a_sweep():
    states = {
        cause: NONE.leave_out(A, cause=cause, because="", now=0.0).by_target[A].state for cause in Cause
    }
    assert states == {
        Cause.HUNG: GpuState.UNRESPONSIVE,
        Cause.CRASHED: GpuState.UNSEEN,
        Cause.LOST: GpuState.LOST,
        Cause.TOLD: GpuState.UNSEEN,
    }


def test_the_hang_is_kept_as_it_was():
    hang = Hang(call="nvmlDeviceGetUUID", waited=5.2)
    out = NONE.leave_out(A, cause=Cause.HUNG, because="hung", now=0.0, hang=hang)
    assert out.postpone(A, 60.0).by_target[A].hang == hang


def test_a_gpu_that_answers_is_back_and_others_stay_out():
    out = NONE.leave_out(A, cause=Cause.HUNG, because="", now=0.0)
    out = out.leave_out(B, cause=Cause.LOST, because="", now=0.0).take_back(A)
    assert (A in out, B in out) == (False, True)
    assert B not in out.clear()


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.sampled_from(list(Cause)), st.floats(0.0, 1e6))))
def test_whatever_happens_no_gpu_is_due_before_the_first_wait(events: list[tuple[str, Cause, float]]):
    out, last = NONE, dict[str, float]()
    for target, cause, now in sorted(events, key=lambda event: event[2]):
        changed = out.leave_out(target, cause=cause, because="", now=now)
        if changed is not out:
            last[target] = now
        out = changed
    for target, left_out in last.items():
        wait = out.by_target[target].retry_at - left_out
        assert BACKOFF.first <= wait + 1e-6
        assert wait <= BACKOFF.longest + 1e-6
