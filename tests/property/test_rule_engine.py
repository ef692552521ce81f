"""The rule engine's promises, under any signals."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rules import BOOT, START, Host, gpu, happened, link, node_reading, reading, rules_from
from tests.support.sample_rules import RULES

from sickbay.core.conditions import Status
from sickbay.core.devices import Subject
from sickbay.core.ids import BootId
from sickbay.core.rule_engine import observe, tick
from sickbay.core.rule_patterns import counted, suffices
from sickbay.core.rule_state import MOST_SEEN, EngineState, Hit
from sickbay.core.rules import Count
from sickbay.core.signals import KINDS, FieldType, FieldValue, Signal

SAMPLE = rules_from(RULES)
TIMES = st.integers(0, 40).map(lambda step: step * 10.0)
PARTS = st.sampled_from([gpu(0), gpu(1), link(1), link(2)])
THREE = st.sampled_from([True, False, None])


def _events() -> st.SearchStrategy[Signal]:
    def event(
        at: float, sequence: int, part: Subject, code: int, pid: int | None, cause: int | None
    ) -> Signal:
        return happened("xid", at, sequence, part, code=code, pid=pid, caused_by=cause)

    return st.builds(
        event,
        TIMES,
        st.integers(1, 60),
        PARTS,
        st.sampled_from([31, 45, 63, 79, 92, 94]),
        st.sampled_from([None, 1, 2, 3]),
        st.sampled_from([None, None, 94, 79]),
    )


def _readings() -> st.SearchStrategy[Signal]:
    return st.one_of(
        st.builds(lambda at, part, on: reading("clocks", at, part, hw_power_brake=on), TIMES, PARTS, THREE),
        st.builds(
            lambda at, part, degrees: reading("temperature", at, part, gpu=degrees),
            TIMES,
            PARTS,
            st.sampled_from([None, 60, 85, 95]),
        ),
        st.builds(lambda at, part, on: reading("row_remap", at, part, pending=on), TIMES, PARTS, THREE),
        st.builds(
            lambda at, part, on: reading("gpu_unresponsive", at, part, unresponsive=on), TIMES, PARTS, THREE
        ),
        st.builds(
            lambda at, part, down: reading("nvlink", at, part, inactive=down),
            TIMES,
            PARTS,
            st.sampled_from([None, 0, 1, 18]),
        ),
        st.builds(
            lambda at, name, on: node_reading("monitor", at, name=name, healthy=on),
            TIMES,
            st.sampled_from(["nvml", "kernel_log"]),
            THREE,
        ),
    )


def _one_of_each_event(signals: Sequence[Signal]) -> list[Signal]:
    """No identity twice with different words: a source does not tell one event in two ways at once."""
    kept: dict[object, Signal] = {}
    for index, signal in enumerate(signals):
        kept.setdefault(signal.identity or index, signal)
    return list(kept.values())


HISTORIES = st.lists(st.one_of(_events(), _readings()), max_size=40).map(_one_of_each_event)


def fed(signals: Sequence[Signal], at: float = 1000.0) -> Host:
    host = Host(rules=SAMPLE)
    host.see(*signals, at=at)
    return host


def unknown(signal: Signal) -> Signal:
    """The same signal from a source that could not say anything."""
    fields: dict[str, FieldValue] = dict.fromkeys(signal.fields)
    if signal.kind == "monitor":
        fields["name"] = signal.fields["name"]
    return replace(signal, fields=fields)


@given(HISTORIES)
def test_unknown_never_opens(signals: list[Signal]) -> None:
    assert not fed([unknown(signal) for signal in signals]).open


@given(HISTORIES, HISTORIES)
def test_unknown_never_clears_or_changes_what_is_open(before: list[Signal], after: list[Signal]) -> None:
    host = fed(before, at=410)
    known = dict(host.state.open)
    later = [replace(unknown(signal), at=START.later(420), identity=None) for signal in after]
    host.see(*later, at=420)
    assert host.state.open == known
    assert not host.last.conditions_changed


@given(HISTORIES, st.randoms(use_true_random=False))
def test_the_order_of_signals_handed_over_together_does_not_matter(
    signals: list[Signal], random: object
) -> None:
    mixed = list(signals)
    random.shuffle(mixed)
    first, second = fed(signals), fed(mixed)
    assert first.state.conditions == second.state.conditions
    assert first.last.conditions_changed == second.last.conditions_changed


@given(HISTORIES, st.integers(1, 5))
def test_what_comes_of_a_record_does_not_depend_on_how_it_was_handed_over(
    signals: list[Signal], size: int
) -> None:
    """Replaying what was seen one by one gives the conditions that were."""
    ordered = sorted(signals, key=lambda signal: signal.at.mono)
    times = sorted({signal.at.mono for signal in ordered})
    groups = [[s for s in ordered if s.at.mono in times[i : i + size]] for i in range(0, len(times), size)]
    one_by_one, at_once = Host(rules=SAMPLE), Host(rules=SAMPLE)
    for group in groups:
        one_by_one.see(*group)
    at_once.see(*ordered)
    assert [replace(c, t1=0.0) for c in one_by_one.state.conditions] == [
        replace(c, t1=0.0) for c in at_once.state.conditions
    ]


@given(HISTORIES)
def test_the_same_signals_give_the_same_conditions_and_the_same_words(signals: list[Signal]) -> None:
    assert fed(signals).last == fed(signals).last


@given(HISTORIES)
def test_events_taken_in_before_change_nothing(signals: list[Signal]) -> None:
    host = fed(signals)
    before = host.state
    host.see(*(signal for signal in signals if signal.is_event), at=1000)
    assert host.state.open == before.open
    assert host.state.hits == before.hits
    assert not host.last.conditions_changed


@given(HISTORIES)
def test_events_of_another_boot_change_nothing(signals: list[Signal]) -> None:
    events = [signal for signal in signals if signal.identity]
    other = [
        replace(signal, identity=replace(signal.identity, boot_id=BootId("boot-0")))
        for signal in events
        if signal.identity
    ]
    assert not fed(other).open


@given(HISTORIES)
def test_every_condition_clears_by_the_way_that_it_names(signals: list[Signal]) -> None:
    host = fed(signals)
    for slot in (0, 1):
        host.reset(gpu(slot).pci, at=1010)
    well = [
        signal
        for at in range(1020, 1400, 10)
        for signal in (
            *(
                reading("clocks", at, part, hw_power_brake=False)
                for part in (gpu(0), gpu(1), link(1), link(2))
            ),
            *(reading("row_remap", at, gpu(slot), pending=False) for slot in (0, 1)),
            *(reading("temperature", at, gpu(slot), gpu=60) for slot in (0, 1)),
            *(reading("gpu_unresponsive", at, gpu(slot), unresponsive=False) for slot in (0, 1)),
            *(reading("nvlink", at, gpu(slot), inactive=0) for slot in (0, 1)),
            *(node_reading("monitor", at, name=name, healthy=True) for name in ("nvml", "kernel_log")),
        )
    ]
    host.see(*well)
    host.wait(10_000)
    assert host.types() <= {"Bus"}
    host.reboot("boot-2", at=10_001)
    assert not host.open


@given(HISTORIES)
def test_what_changed_accounts_for_every_opening_and_every_end(signals: list[Signal]) -> None:
    host = Host(rules=SAMPLE)
    told: dict[str, Status] = {}
    for signal in sorted(signals, key=lambda each: each.at.mono):
        for condition in host.see(signal).conditions_changed:
            told[condition.key] = condition.status
        still_open = {key for key, status in told.items() if status is Status.TRUE}
        assert still_open == set(host.state.open)


@given(HISTORIES)
def test_a_state_survives_being_kept(signals: list[Signal]) -> None:
    state = fed(signals).state
    assert msgspec.json.decode(msgspec.json.encode(state), type=EngineState) == state


@given(HISTORIES)
def test_injected_signals_open_only_injected_conditions_and_clear_no_real_one(signals: list[Signal]) -> None:
    host = fed(signals, at=410)
    real = {key: known.condition for key, known in host.state.open.items()}
    injected = [
        replace(
            signal,
            at=START.later(420 + index),
            synthetic=True,
            identity=replace(signal.identity, sequence=1000 + index) if signal.identity else None,
        )
        for index, signal in enumerate(signals)
        if signal.kind != "monitor"
    ]
    host.see(*injected)
    for key, condition in real.items():
        assert host.state.open[key].condition == condition
    assert all(known.condition.synthetic for key, known in host.state.open.items() if key not in real)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=600))
def test_memory_is_bounded_however_much_is_said(sequences: list[int]) -> None:
    host = Host(rules=SAMPLE)
    host.see(*(happened("xid", 1.0, number, code=31, pid=number) for number in sequences))
    assert len(host.state.seen["kmsg"]) <= MOST_SEEN
    assert all(len(hits) <= 3 for hits in host.state.hits.values())
    assert len(host.state.open) <= 1


@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from("abcd")), max_size=20),
    st.integers(2, 5),
    st.booleans(),
)
def test_a_bounded_count_finds_what_an_unbounded_one_would(
    happenings: list[tuple[int, str]], at_least: int, distinct: object
) -> None:
    count = Count(at_least=at_least, within=20.0, distinct="pid" if distinct else "")
    ordered = sorted(happenings)
    kept: tuple[Hit, ...] = ()
    for index, (at, value) in enumerate(ordered):
        hit = Hit(at=float(at), weight=1, value=value if distinct else "", event=str(index))
        kept = counted(kept, hit, count)
        window = [known for known in ordered[: index + 1] if known[0] >= at - 20]
        found = {value for _, value in window} if distinct else window
        assert suffices(kept, count) is (len(found) >= at_least)


_ODD: dict[FieldType, st.SearchStrategy[FieldValue]] = {
    FieldType.BOOL: st.booleans(),
    FieldType.INT: st.integers(),
    FieldType.FLOAT: st.floats(),
    FieldType.TEXT: st.text(max_size=8),
}


@given(st.data())
def test_no_value_of_any_type_makes_the_engine_fail(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    any_value = st.one_of(st.none(), *_ODD.values())
    fields = {name: data.draw(any_value) for name in KINDS[kind]}
    signal = Signal(kind=kind, subject=data.draw(PARTS), at=START, fields=fields)
    first = observe(SAMPLE, EngineState(), (signal,), now=START, boot_id=BOOT)
    tick(SAMPLE, first.state, now=START.later(1e6))
