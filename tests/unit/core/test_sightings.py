"""One Xid seen by several sources is one signal that names them."""

from dataclasses import replace
from typing import Literal

from sickbay.core.devices import Scope, Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.sightings import KEPT, WINDOW_S, Sightings, merge
from sickbay.core.signals import EventId, Signal

GPU = Subject(scope=Scope.GPU, gpu_uuid="GPU-1", pci="0000:18:00")


def at(mono: float) -> Instant:
    return Instant(mono=mono, wall=mono)


def xid(
    source: Literal["kmsg", "nvml"],
    sequence: int,
    mono: float,
    *,
    code: int = 79,
    subject: Subject = GPU,
    boot: str = "b",
) -> Signal:
    return Signal(
        kind="xid",
        subject=subject,
        at=at(mono),
        fields={"code": code, "message": "words" if source == "kmsg" else None},
        identity=EventId(boot_id=BootId(boot), source=source, sequence=sequence),
        sources=(source,),
        raw=f"{source} {sequence}",
    )


def told(*signals: Signal) -> list[Signal | None]:
    """What is handed on for each of these, in their order."""
    sightings, out = Sightings(), list[Signal | None]()
    for signal in signals:
        sightings, merged = merge(sightings, signal, signal.at)
        out.append(merged)
    return out


def test_a_first_sighting_is_handed_on_as_it_is():
    assert told(xid("nvml", 1, 10.0)) == [xid("nvml", 1, 10.0)]


def test_nvml_after_the_kernel_only_adds_its_name():
    line = xid("kmsg", 7, 10.0)
    assert told(line, xid("nvml", 1, 10.4)) == [line, replace(line, sources=("kmsg", "nvml"))]


def test_the_kernel_after_nvml_lends_its_words_to_the_identity_that_is_known():
    event, line = xid("nvml", 1, 10.0), xid("kmsg", 7, 9.9)
    assert told(event, line)[1] == replace(line, identity=event.identity, sources=("kmsg", "nvml"))


def test_a_larger_count_of_a_line_that_joined_an_event_goes_by_the_same_identity():
    event, line = xid("nvml", 1, 10.0), xid("kmsg", 7, 9.9)
    last = told(event, line, replace(line, count=5))[-1]
    assert last == replace(line, identity=event.identity, sources=("kmsg", "nvml"), count=5)


def test_a_larger_count_keeps_the_name_that_nvml_added():
    line = xid("kmsg", 7, 10.0)
    last = told(line, xid("nvml", 1, 10.1), replace(line, count=5))[-1]
    assert last == replace(line, sources=("kmsg", "nvml"), count=5)


def test_a_second_nvml_event_for_lines_that_are_known_says_nothing_new():
    assert told(xid("kmsg", 7, 10.0), xid("nvml", 1, 10.1), xid("nvml", 2, 10.2))[-1] is None


def test_two_lines_are_two_events():
    first, second = xid("kmsg", 7, 10.0), xid("kmsg", 8, 10.1)
    assert told(first, second) == [first, second]


def test_two_nvml_events_that_no_line_explains_are_two_events():
    first, second = xid("nvml", 1, 10.0), xid("nvml", 2, 10.1)
    assert told(first, second) == [first, second]


def test_beyond_the_window_they_are_two_events():
    event = xid("nvml", 1, 10.0 + WINDOW_S + 0.1)
    assert told(xid("kmsg", 7, 10.0), event)[1] == event


def test_a_storm_that_goes_on_keeps_its_window_open():
    line = xid("kmsg", 7, 10.0)
    sightings, _ = merge(Sightings(), line, at(10.0))
    sightings, _ = merge(sightings, replace(line, count=900), at(60.0))
    _, merged = merge(sightings, xid("nvml", 1, 61.0), at(61.0))
    assert merged is not None
    assert (merged.identity, merged.count) == (line.identity, 900)


def test_another_gpu_code_or_boot_is_another_event():
    other = Subject(scope=Scope.GPU, pci="0000:2a:00")
    line = xid("kmsg", 7, 10.0)
    for event in (
        xid("nvml", 1, 10.1, subject=other),
        xid("nvml", 1, 10.1, code=74),
        xid("nvml", 1, 10.1, boot="c"),
    ):
        assert told(line, event)[1] == event


def test_memory_is_bounded():
    sightings = Sightings()
    for number in range(KEPT * 3):
        sightings, _ = merge(sightings, xid("nvml", number, 1.0, code=number), at(1.0))
        sightings, _ = merge(sightings, xid("kmsg", number, 1.0, code=number), at(1.0))
    assert len(sightings.seen) == KEPT
    assert len(sightings.joined) == KEPT
