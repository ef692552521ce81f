"""Equal events become one signal with a count, promptly, and in bounded memory."""

from collections.abc import Iterable
from functools import partial

from sickbay.core.devices import NODE
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.signals import EventId, Signal
from sickbay.core.storms import DETAILS, GROUPS, PROMPT, QUIET_S, SPAN_S, Storms, Tally, gather, settle


def at(mono: float) -> Instant:
    return Instant(mono=mono, wall=1000.0 + mono)


def first(sequence: int, mono: float) -> Signal:
    identity = EventId(boot_id=BootId("b"), source="kmsg", sequence=sequence)
    return Signal(kind="xid", subject=NODE, at=at(mono), identity=identity)


def storm(
    monos: Iterable[float],
    storms: Storms | None = None,
    *,
    group: object = "g",
    detail: object = "d",
) -> tuple[Storms, list[Signal]]:
    """Events at these times, their sequence counted from 0."""
    tally, told = Tally(storms or Storms()), list[Signal]()
    for sequence, mono in enumerate(monos):
        told.extend(tally.count(group, detail, mono, partial(first, sequence, mono)))
    return tally.storms(), told


def test_the_first_event_is_handed_on_at_once():
    _, told = storm([5.0])
    assert told == [first(0, 5.0)]


def test_small_counts_are_handed_on_one_by_one():
    _, told = storm([5.0] * PROMPT)
    assert [signal.count for signal in told] == list(range(1, PROMPT + 1))


def test_all_of_a_storm_goes_by_the_first_events_identity_and_time():
    storms, told = storm([5.0 + n / 1000 for n in range(800)])
    _, rest = settle(storms, at(7.0))
    assert {(signal.identity, signal.at) for signal in [*told, *rest]} == {(first(0, 5.0).identity, at(5.0))}
    assert rest[-1].count == 800


def test_a_large_count_is_handed_on_no_more_than_once_a_second():
    _, told = storm([n / 10_000 for n in range(50_000)])
    assert len(told) <= PROMPT + 5


def test_eight_hundred_thousand_equal_events_are_one_entry_and_one_count():
    storms, told = storm([n / 20_000 for n in range(800_000)])
    storms, rest = settle(storms, at(40.0 + QUIET_S + 1))
    assert rest[-1].count == 800_000
    assert len({signal.identity for signal in [*told, *rest]}) == 1
    assert storms.is_calm()


def test_several_at_once_are_counted_as_several():
    storms, told = storm([5.0])
    _, more = gather(storms, group="g", detail="d", at=at(5.5), signal=lambda: first(9, 5.5), times=74)
    assert [signal.count for signal in (*told, *more)] == [1, 75]


def test_after_a_silence_an_equal_event_is_a_new_one():
    _, told = storm([0.0, QUIET_S + 0.1])
    assert [signal.count for signal in told] == [1, 1]
    assert told[0].identity != told[1].identity


def test_a_storm_that_does_not_end_begins_anew_now_and_then():
    _, told = storm([float(second) for second in range(int(SPAN_S) + 5)])
    assert len({signal.identity for signal in told}) == 2


def test_no_event_is_lost_when_a_storm_begins_anew():
    seconds = [n / 10 for n in range(int(SPAN_S) * 25)]
    storms, told = storm(seconds)
    _, rest = settle(storms, at(seconds[-1] + QUIET_S + 1))
    largest = {signal.identity: signal.count for signal in [*told, *rest]}
    assert sum(largest.values()) == len(seconds)


def test_events_that_differ_are_told_apart():
    storms, told = storm([0.0], detail="pid 1")
    _, more = storm([0.0], storms, detail="pid 2")
    assert [signal.count for signal in [*told, *more]] == [1, 1]


def test_beyond_a_bound_the_details_of_one_group_share_a_count():
    storms, told = Storms(), list[Signal]()
    for detail in range(DETAILS * 10):
        storms, signals = gather(
            storms,
            group="g",
            detail=detail,
            at=at(0.0),
            signal=partial(first, detail, 0.0),
        )
        told.extend(signals)
    assert len(storms.groups["g"]) == DETAILS + 1
    _, rest = settle(storms, at(60.0))
    largest = {signal.identity: signal.count for signal in [*told, *rest]}
    assert sum(largest.values()) == DETAILS * 10


def test_there_are_never_more_groups_than_the_bound():
    storms = Storms()
    for number in range(GROUPS * 2):
        storms, _ = storm([0.0], storms, group=number)
    assert len(storms.groups) == GROUPS


def test_the_count_of_a_group_that_is_dropped_is_handed_on():
    storms, told = storm([0.0] * 20, group="storm")
    for number in range(GROUPS):
        storms, signals = storm([0.0], storms, group=number)
        told.extend(signals)
    assert max(signal.count for signal in told) == 20


def test_settling_what_is_calm_says_nothing():
    assert settle(Storms(), at(1.0)) == (Storms(), ())


def test_folding_event_by_event_and_folding_a_batch_come_to_the_same():
    monos = [0.0, 0.1, 0.2, 11.0, 11.1, 12.5]
    one_by_one, singly = Storms(), list[Signal]()
    for sequence, mono in enumerate(monos):
        one_by_one, told = gather(
            one_by_one, group="g", detail="d", at=at(mono), signal=partial(first, sequence, mono)
        )
        singly.extend(told)
    assert storm(monos) == (one_by_one, singly)
