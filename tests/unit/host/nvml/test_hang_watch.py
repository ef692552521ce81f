"""When a driver call counts as hung."""

from hypothesis import given
from hypothesis import strategies as st

from sickbay.host.nvml.catalogue import CALL_IDS, CALLS, EVENT_WAIT_MS, SLOW_CALLS
from sickbay.host.nvml.hang_watch import Deadlines, HangWatch, Look
from sickbay.host.nvml.slot import NO_GPU

DEADLINES = Deadlines(call=5.0, slow=30.0)
CALL = Look(call="nvmlDeviceGetUUID", gpu=3, started=100.0)


def test_one_and_the_same_call_past_its_deadline_is_hung():
    watch = HangWatch(DEADLINES)
    assert watch.see(CALL, 100.2) is None
    assert watch.see(CALL, 105.0) is None
    assert watch.see(CALL, 105.2) is not None


def test_the_first_look_never_condemns_however_old_the_call():
    watch = HangWatch(DEADLINES)
    assert watch.see(CALL, 500.0) is None
    assert watch.see(None, 500.2) is None


def test_a_new_call_each_time_is_work():
    watch = HangWatch(DEADLINES)
    for second in range(100, 200):
        assert watch.see(Look(call=CALL.call, gpu=3, started=float(second)), second + 0.5) is None


def test_a_call_that_initialises_has_more_time():
    watch = HangWatch(DEADLINES)
    call = Look(call="nvmlDeviceGetHandleByPciBusId", gpu=0, started=0.0)
    assert [watch.see(call, at) is not None for at in (0.2, 29.0, 30.5)] == [False, False, True]


def test_waiting_for_events_may_take_its_own_time_and_then_some():
    watch = HangWatch(DEADLINES)
    call = Look(call="nvmlEventSetWait", gpu=None, started=0.0)
    limit = EVENT_WAIT_MS / 1000 + DEADLINES.call
    assert [watch.see(call, at) is not None for at in (0.2, limit, limit + 0.1)] == [False, False, True]


@given(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**64 - 1)))
def test_any_record_is_a_call_that_exists_or_none(record: tuple[int, int, int]):
    look = Look.of(record)
    assert look is None or look.call in CALLS


@given(st.sampled_from(CALLS), st.integers(NO_GPU, 15), st.integers(0, 10**12))
def test_a_record_names_its_call_and_its_gpu(call: str, gpu: int, started: int):
    look = Look.of((CALL_IDS[call], gpu, started))
    assert look is not None
    assert (look.call, look.gpu) == (call, None if gpu == NO_GPU else gpu)


@given(st.lists(st.tuples(st.sampled_from(CALLS), st.floats(0.0, 4.9)), min_size=1, max_size=50))
def test_calls_that_all_end_in_time_are_never_hung(calls: list[tuple[str, float]]):
    watch, now = HangWatch(DEADLINES), 1000.0
    for call, took in calls:
        look = Look(call=call, gpu=0, started=now)
        for part in (0.0, 0.5, 1.0):
            assert watch.see(look, now + took * part) is None
        now += took + 0.001


def test_every_slow_call_is_a_call():
    assert set(CALLS) >= SLOW_CALLS
