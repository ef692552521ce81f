"""Why something is so, for people and for their programs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.node_parts import Parts

from sickbay.core.explanations import (
    explain_condition,
    explain_event,
    explain_nothing,
    explain_signals,
)
from sickbay.core.ids import RuleId
from sickbay.core.messages import Event
from sickbay.core.rule_engine import observe


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def test_a_condition_names_its_evidence_its_rule_and_how_it_ends(parts: Parts) -> None:
    signal = parts.xid(79, 7)
    now = parts.clock.now()
    (condition,) = observe(parts.rules, parts.state, [signal], now=now, boot_id=parts.boot).conditions_changed
    account = explain_condition(condition, parts.rules, now.wall + 60)
    for said in (
        "open for 1m00s",
        "evidence: boot-1/kmsg/7",
        "rule: xid-79-gpu-off-the-bus (",
        "xid-bus.yaml:",
        "NVIDIA: Xid 79",
        "RESTART_BM",
        "clears: after a reboot of the node",
        "drain-and-reboot",
        "runbook: gpu-fallen-off-bus",
    ):
        assert said in account.text
    assert json.loads(json.dumps(account.data))["nvidia"]["xid"] == 79


def test_a_condition_whose_rule_is_gone_says_so(parts: Parts) -> None:
    signal = parts.xid(79, 7)
    now = parts.clock.now()
    (condition,) = observe(parts.rules, parts.state, [signal], now=now, boot_id=parts.boot).conditions_changed
    account = explain_condition(replace(condition, rule=RuleId("gone")), parts.rules, now.wall)
    assert "rule gone is not in force any more" in account.text
    assert account.data["rule"] is None


def test_a_signal_that_alone_is_not_enough_says_what_it_takes(parts: Parts) -> None:
    account = explain_signals([replace(parts.xid(13, 7), count=4)], parts.rules)
    assert "it takes 3 different values of pid within 1h00m" in account.text
    assert "4 times" in account.text
    assert "nothing but show it" in account.text


def test_a_reading_that_must_hold_says_for_how_long(parts: Parts) -> None:
    account = explain_signals([parts.reading("clocks", hw_power_brake=True)], parts.rules)
    assert "it must hold for 1m00s" in account.text


def test_what_no_rule_takes_up_is_said_to_act_on_nothing(parts: Parts) -> None:
    cleanup = parts.xid(45, 7)
    secondary = replace(cleanup, fields={**cleanup.fields, "class": "secondary"})
    account = explain_signals([secondary], parts.rules)
    assert "no rule makes a condition of it" in account.text
    assert account.data["rules"] == []


def test_an_event_says_when_and_what(parts: Parts) -> None:
    event = Event(sequence=9, id="boot-1/kmsg/7", at=10.0, boot_id=parts.boot, what=parts.xid(79, 7))
    account = explain_event(event, parts.rules, 70.0)
    assert account.title == "event boot-1/kmsg/7 (number 9 of this node's history)"
    assert "1m00s ago" in account.text
    assert account.data["event"] == "boot-1/kmsg/7"


def test_a_line_that_means_nothing_is_kept_as_it_stands() -> None:
    assert explain_nothing("hello").data == {"kind": "none", "raw": "hello"}
