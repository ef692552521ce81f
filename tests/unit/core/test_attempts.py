"""Repairs on the heels of repairs."""

from dataclasses import replace

from sickbay.core.attempts import Attempted, attempts_gate

TRIED = Attempted(family="gpu-lost", lately=1, most=2, window=86_400.0, ended_ago=60.0, cool_down=300.0)


def test_a_repair_that_has_just_ended_is_given_time_to_show():
    finding = attempts_gate(TRIED, under_way=False)
    assert not finding.passed
    assert finding.why == "a repair of gpu-lost ended 1m00s ago, the next may begin 5m00s after"


def test_after_that_the_next_one_may_begin_and_the_numbers_are_said():
    finding = attempts_gate(replace(TRIED, ended_ago=300.0), under_way=False)
    assert (finding.passed, finding.why) == (True, "1 repairs of the node within 1d0h, 2 allowed")


def test_a_repair_under_way_is_not_held_by_itself():
    assert attempts_gate(TRIED, under_way=True).passed


def test_with_all_attempts_used_up_the_node_goes_to_a_person():
    finding = attempts_gate(replace(TRIED, ended_ago=None, lately=2), under_way=False)
    assert finding.passed
    assert "goes to a person" in finding.why
