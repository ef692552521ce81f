"""World in, one signal after another, world out: events, counts, quiet and causes."""

from dataclasses import replace

import pytest
from tests.support.rules import (
    BOOT,
    START,
    Host,
    gpu,
    happened,
    node_reading,
    reading,
    rules_from,
    statuses,
    sweeps,
)
from tests.support.sample_rules import RULES

from sickbay.core.conditions import Mode, Severity, Status
from sickbay.core.devices import NODE
from sickbay.core.ids import BootId
from sickbay.core.rule_book import Said
from sickbay.core.rule_state import MOST_SEEN
from sickbay.core.rule_wording import MOST_EVIDENCE


@pytest.fixture
def host() -> Host:
    return Host(rules=rules_from(RULES))


# -- events ----------------------------------------------------------------------------------------------


def test_an_event_opens_at_once_and_tells_all_of_itself(host: Host) -> None:
    event = host.event("xid", 5, code=79)
    (condition,) = host.see(event, at=6).conditions_changed
    assert condition.key == "Bus@gpu/0000:10:00"
    assert (condition.severity, condition.mode, condition.remedy) == (
        Severity.FATAL,
        Mode.ACT,
        "drain-and-reboot",
    )
    assert (condition.reason, condition.message) == ("Xid79", "gone: NVRM: xid 2")
    assert (condition.t0, condition.t1, condition.observed_at) == (
        START.wall + 5,
        START.wall + 6,
        START.wall + 5,
    )
    assert condition.evidence == (str(event.identity),)
    assert condition.clears == "after a reboot of the node"
    assert condition.boot_id == BOOT


def test_the_same_event_twice_changes_nothing(host: Host) -> None:
    event = host.event("xid", 0, code=79)
    host.see(event)
    before = host.state
    observation = host.see(event)
    assert (observation.conditions_changed, observation.conditions_refreshed) == ((), ())
    assert host.said() == {Said.DUPLICATE}
    assert host.state == before


def test_a_later_equal_event_is_evidence_and_no_change(host: Host) -> None:
    host.see(host.event("xid", 0, code=79))
    observation = host.see(host.event("xid", 10, code=79))
    assert not observation.conditions_changed
    (condition,) = observation.conditions_refreshed
    assert (condition.occurrences, len(condition.evidence)) == (2, 2)
    assert condition.since == START.wall


def test_evidence_is_bounded_and_keeps_the_first(host: Host) -> None:
    events = [host.event("xid", at, code=79) for at in range(100)]
    host.see(*events)
    condition = host.open["Bus"]
    assert condition.occurrences == 100
    assert len(condition.evidence) == MOST_EVIDENCE
    assert condition.evidence[0] == str(events[0].identity)
    assert condition.evidence[-1] == str(events[-1].identity)


def test_a_storm_counts_under_one_identity(host: Host) -> None:
    event = host.event("xid", 0, code=79)
    host.see(event)
    for count in (2, 50, 800_000, 50):
        host.see(replace(event, count=count), at=count / 1000)
    assert host.open["Bus"].occurrences == 800_000
    assert len(host.open["Bus"].evidence) == 1


def test_an_event_of_another_boot_is_history(host: Host) -> None:
    host.see(happened("xid", 0, 7, boot=BootId("boot-0"), code=79))
    assert not host.open
    assert host.said() == {Said.OTHER_BOOT}


def test_an_event_that_no_rule_knows_is_recorded(host: Host) -> None:
    host.see(host.event("xid", 0, code=45))
    assert not host.open
    assert host.said() == {Said.RECORDED}


def test_a_kind_that_nobody_declared_is_unknown_and_no_error(host: Host) -> None:
    host.see(reading("weather", 0, wet=True))
    assert host.said() == {Said.UNKNOWN}


def test_an_event_put_into_words_by_a_second_source_is_not_counted_twice(host: Host) -> None:
    bare = host.event("xid", 0, code=79, message=None)
    host.see(bare)
    worded = happened("xid", 0, host.next_sequence, code=79, message="fallen off the bus")
    host.see(worded, at=1)
    assert host.open["Bus"].occurrences == 1


def test_memory_of_events_is_bounded_and_an_event_older_than_it_is_known(host: Host) -> None:
    events = [host.event("xid", at, code=45) for at in range(MOST_SEEN + 10)]
    host.see(*events)
    assert len(host.state.seen["kmsg"]) == MOST_SEEN
    host.see(events[0])
    assert host.said() == {Said.DUPLICATE}


# -- counts ----------------------------------------------------------------------------------------------


def test_a_pattern_over_distinct_processes_opens_and_one_process_never_does(host: Host) -> None:
    host.see(*(host.event("xid", at, code=31, pid=7) for at in range(50)))
    assert not host.open
    host.see(host.event("xid", 60, code=31, pid=8))
    assert not host.open
    host.see(host.event("xid", 61, code=31, pid=9))
    assert host.types() == {"Fault"}


def test_a_process_that_is_not_known_is_not_counted(host: Host) -> None:
    host.see(*(host.event("xid", at, code=31, pid=None) for at in range(5)))
    assert not host.open
    assert Said.UNKNOWN in host.said()


def test_what_lies_outside_of_the_window_does_not_count(host: Host) -> None:
    host.see(host.event("xid", 0, code=31, pid=1))
    host.see(host.event("xid", 1800, code=31, pid=2))
    host.see(host.event("xid", 3700, code=31, pid=3))
    assert not host.open
    host.see(host.event("xid", 3800, code=31, pid=1))
    assert host.types() == {"Fault"}


def test_another_gpu_does_not_count(host: Host) -> None:
    host.see(*(host.event("xid", slot, gpu(slot), code=31, pid=slot) for slot in range(8)))
    assert not host.open


def test_a_merged_event_counts_as_often_as_it_happened(host: Host) -> None:
    event = host.event("xid", 0, code=92)
    host.see(event)
    host.see(replace(event, count=4), at=5)
    assert not host.open
    host.see(replace(event, count=5), at=6)
    assert host.types() == {"Burst"}


# -- quiet -----------------------------------------------------------------------------------------------


@pytest.fixture
def faulted(host: Host) -> Host:
    host.see(*(host.event("xid", pid, code=31, pid=pid) for pid in (1, 2, 3)))
    assert host.types() == {"Fault"}
    return host


def test_quiet_clears_after_its_span(faulted: Host) -> None:
    faulted.wait(3602)
    assert faulted.types() == {"Fault"}
    assert statuses(faulted.wait(3603)) == [("Fault", Status.FALSE)]


def test_another_such_event_starts_the_quiet_anew(faulted: Host) -> None:
    faulted.see(faulted.event("xid", 3000, code=31, pid=3))
    faulted.wait(6000)
    assert faulted.types() == {"Fault"}
    faulted.wait(6600)
    assert not faulted.types()


def test_a_storm_that_goes_on_under_its_first_identity_is_not_quiet(faulted: Host) -> None:
    event = faulted.event("xid", 10, code=31, pid=3)
    faulted.see(event)
    faulted.see(replace(event, count=900), at=3000)
    faulted.wait(6500)
    assert faulted.types() == {"Fault"}


def test_silence_of_a_log_that_cannot_be_read_is_not_quiet(faulted: Host) -> None:
    faulted.see(node_reading("monitor", 100, name="kernel_log", healthy=False))
    faulted.wait(20_000)
    assert "Fault" in faulted.types()
    faulted.see(node_reading("monitor", 20_000, name="kernel_log", healthy=True))
    faulted.wait(23_599)
    assert faulted.types() == {"Fault"}
    faulted.wait(23_600)
    assert not faulted.types()


def test_a_gap_in_the_log_starts_the_quiet_anew(faulted: Host) -> None:
    faulted.see(faulted.event("log_gap", 3000, NODE, lost=12, before_start=False))
    faulted.wait(6599)
    assert faulted.types() == {"Fault"}
    faulted.wait(6600)
    assert not faulted.types()


def test_time_in_which_nobody_was_looking_is_not_quiet(faulted: Host) -> None:
    faulted.restart(at=7200)
    faulted.wait(7200)
    assert faulted.types() == {"Fault"}
    faulted.wait(10_800)
    assert not faulted.types()


# -- causes ----------------------------------------------------------------------------------------------


def test_a_line_that_names_its_cause_becomes_evidence_of_the_cause(host: Host) -> None:
    host.see(host.event("xid", 0, code=94))
    observation = host.see(host.event("xid", 1, code=45, caused_by=94))
    assert host.types() == {"Ecc"}
    assert not observation.conditions_changed
    assert (host.open["Ecc"].occurrences, len(host.open["Ecc"].evidence)) == (2, 2)
    assert Said.ATTACHED in host.said()


def test_a_fault_with_a_known_cause_opens_no_condition_of_its_own(host: Host) -> None:
    host.see(host.event("xid", 0, code=94))
    host.see(host.event("xid", 1, code=79, caused_by=94))
    assert host.types() == {"Ecc"}


def test_a_cause_on_another_gpu_is_not_the_cause(host: Host) -> None:
    host.see(host.event("xid", 0, gpu(1), code=94))
    host.see(host.event("xid", 1, gpu(0), code=45, caused_by=94))
    assert host.open["Ecc"].occurrences == 1


def test_without_an_open_cause_only_the_rules_on_the_line_itself_speak(host: Host) -> None:
    host.see(host.event("xid", 0, code=45, caused_by=94))
    assert not host.open
    host.see(host.event("xid", 1, code=79, caused_by=94))
    assert host.open["Bus"].caused_by == "Xid 94"


def test_at_equal_times_a_cause_comes_before_what_names_it(host: Host) -> None:
    secondary, cause = host.event("xid", 0, code=45, caused_by=94), host.event("xid", 0, code=94)
    host.see(secondary, cause)
    assert host.open["Ecc"].occurrences == 2


# -- injected signals ------------------------------------------------------------------------------------


def test_an_injected_event_opens_an_injected_condition(host: Host) -> None:
    host.see(replace(host.event("xid", 0, code=79), synthetic=True))
    assert host.open["Bus"].synthetic


def test_an_injected_event_adds_nothing_to_a_real_condition(host: Host) -> None:
    host.see(host.event("xid", 0, code=79))
    before = host.open["Bus"]
    host.see(replace(host.event("xid", 1, code=79), synthetic=True))
    assert host.open["Bus"] == before


def test_a_real_event_makes_an_injected_condition_real_with_evidence_of_its_own(host: Host) -> None:
    host.see(replace(host.event("xid", 0, code=79), synthetic=True))
    (changed,) = host.see(host.event("xid", 5, code=79)).conditions_changed
    assert not changed.synthetic
    assert (changed.occurrences, changed.since, len(changed.evidence)) == (1, START.wall + 5, 1)


def test_an_injected_reading_neither_helps_a_span_nor_clears_a_real_condition(host: Host) -> None:
    readings = sweeps("clocks", [0, 20, 40, 60], hw_power_brake=True)
    host.see(*readings[:3], replace(readings[3], synthetic=True))
    assert not host.open
    host.see(readings[3])
    assert host.types() == {"Brake"}
    host.see(
        *(
            replace(each, synthetic=True)
            for each in sweeps("clocks", range(70, 200, 10), hw_power_brake=False)
        )
    )
    assert host.types() == {"Brake"}
