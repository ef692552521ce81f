import pytest
from tests.support.rules import parsed, rules_from

from sickbay.core.conditions import Mode, Severity
from sickbay.core.devices import Scope
from sickbay.core.rules import After, ClearAfter, ClearQuiet, ClearWhen

WHOLE = """
- id: gpu-power-brake
  on: clocks
  when: signal.hw_power_brake
  for: 60s
  boot_grace: 2m
  condition: {type: GpuPowerBrake, severity: warning, scope: gpu, reason: PowerBrake, family: gpu-power}
  clear: {when: "!signal.hw_power_brake", for: 5m}
  remedy: drain-and-reboot
  mode: propose
  because: power supply or cable
  runbook: gpu-power-brake
  labels: {team: power, tier: "1"}
"""

XID = """
- id: xid
  on: xid
  when: signal.code == 1
  condition: {type: Xid, severity: info, scope: gpu}
  clear: {quiet: 1h}
  because: it happened
"""


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parsed(text)[1]]


def changed(old: str, new: str, text: str = WHOLE) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_rule_is_read_whole() -> None:
    (rule,) = rules_from(WHOLE).rules
    assert (rule.id, rule.on, rule.when.text) == ("gpu-power-brake", "clocks", "signal.hw_power_brake")
    assert (rule.hold, rule.boot_grace) == (60.0, 120.0)
    assert rule.condition.severity is Severity.WARNING
    assert rule.condition.scope is Scope.GPU
    assert isinstance(rule.clear, ClearWhen)
    assert (rule.clear.on, rule.clear.hold) == ("clocks", 300.0)
    assert (rule.remedy, rule.mode) == ("drain-and-reboot", Mode.PROPOSE)
    assert rule.labels == (("team", "power"), ("tier", "1"))
    assert (rule.layer, rule.line) == ("rules.yaml", 2)


def test_what_is_left_out_is_careful() -> None:
    (rule,) = rules_from(XID).rules
    assert (rule.remedy, rule.mode) == ("none", Mode.OBSERVE)
    assert (rule.hold, rule.count, rule.boot_grace) == (0.0, None, 0.0)
    assert rule.condition.reason == "Xid"
    assert rule.clear == ClearQuiet(quiet=3600.0)


def test_a_clear_after_a_repair_is_read() -> None:
    (rule,) = rules_from(changed("{quiet: 1h}", "{after: gpu_reset}", XID)).rules
    assert rule.clear == ClearAfter(repair=After.GPU_RESET)


def test_a_clear_may_rest_on_another_kind_of_reading() -> None:
    text = changed("{quiet: 1h}", '{when: "!signal.pending", on: row_remap, for: 1m}', XID)
    (rule,) = rules_from(text).rules
    assert isinstance(rule.clear, ClearWhen)
    assert rule.clear.on == "row_remap"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("runbook:", "runbok:", "rules.yaml:12:3: found the unknown key 'runbok'"),
        ("runbook:", "runbok:", "(did you mean runbook?)"),
        ("severity: warning, ", "", "found no condition.severity; expected one of critical"),
        ("severity: warning", "severity: warn", "(did you mean warning?)"),
        ("scope: gpu", "scope: 5", "expected one of gpu, link, node, port"),
        ("type: GpuPowerBrake", "type: gpu_power_brake", "a name in CamelCase"),
        ("type: GpuPowerBrake", "typo: GpuPowerBrake", "found the unknown key 'typo'"),
        ("id: gpu-power-brake", "id: Gpu Power", "an id of lower-case letters"),
        ("on: clocks", "on: clocs", "found the unknown signal kind 'clocs'; expected one of "),
        ("on: clocks", "on: clocs", "(did you mean clocks?)"),
        ("for: 60s", "for: 60", "a duration with its unit, such as"),
        ("for: 60s", "for: soon", "rules.yaml:5:8: found for: 'soon'; expected a duration such as"),
        ("mode: propose", "mode: suggest", "expected one of act, observe, propose"),
        ("remedy: drain-and-reboot", "remedy: drain-and-rebot", "(did you mean drain-and-reboot?)"),
        ("because: power supply or cable", "because:", "found no because; expected a text"),
        ("because: power supply or cable", "because: 5", "found because: 5; expected a text"),
        ("reason: PowerBrake", "reason: '{idle!r}'", "found {idle} in '{idle!r}'"),
        ("reason: PowerBrake", "reason: '{idle.x}'", "found {idle.x}"),
        ("reason: PowerBrake", "reason: '{idl}'", "(did you mean idle?)"),
        ("reason: PowerBrake", "reason: '{idle'", "braces around field names only"),
        ("signal.hw_power_brake\n", "signal.hw_power_brak\n", "rules.yaml:4:9: found undeclared reference"),
        ("signal.hw_power_brake\n", "signal.hw_power_brak\n", "(did you mean signal.hw_power_brake?)"),
        ("signal.hw_power_brake\n", "true\n", "found when: True; expected a text"),
        ("signal.hw_power_brake\n", "signal.hw_power_brake > 1\n", "a CEL expression that is true or false"),
        ('"!signal.hw_power_brake"', '"!signal.brake"', "rules.yaml:8:19: found undeclared reference"),
        ('{when: "!signal.hw_power_brake", for: 5m}', "{}", "found clear without when, after or quiet"),
        (
            '{when: "!signal.hw_power_brake", for: 5m}',
            "{after: reboot, quiet: 1h}",
            "found clear with after and quiet",
        ),
        ('{when: "!signal.hw_power_brake", for: 5m}', "{after: later}", "expected one of gpu_reset, reboot"),
        (
            '{when: "!signal.hw_power_brake", for: 5m}',
            "{after: reboot, for: 1m}",
            "found the unknown key 'for'",
        ),
        ('{when: "!signal.hw_power_brake", for: 5m}', "{quiet: 1h}", "so that silence proves nothing"),
        ('{when: "!signal.hw_power_brake", for: 5m}', "never", "found clear: 'never'; expected a mapping"),
        ("  clear: {when", "  # {when", "found no clear; expected how the condition clears"),
        ("for: 60s", "for: 60s\n  count: {at_least: 2, within: 1m}", "found both for and count"),
        ("for: 60s", "count: {at_least: 1, within: 1m}", "a whole number from 2 to 1000"),
        ("for: 60s", "count: {at_least: 2}", "found no count.within"),
        ("for: 60s", "count: {at_least: 2, within: 1m, distinct: pid}", "found distinct: 'pid'"),
        ('tier: "1"', "tier: 1", "found tier: 1; expected a text"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_would_be_right(old: str, new: str, words: str) -> None:
    found = problems(changed(old, new))
    assert any(words in problem for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("because", "for: 5s\n  because", "no for on xid, which reports what happened once"),
        ("because", "boot_grace: 5s\n  because", "no boot_grace on xid"),
        ("{quiet: 1h}", "{quiet: 0s}", "a span longer than nothing"),
        ("{quiet: 1h}", "{when: signal.code == 1}", "found clear.when on xid events"),
        ("{quiet: 1h}", "{when: signal.code == 1, on: xids}", "found the unknown signal kind 'xids'"),
    ],
)
def test_what_events_cannot_show_is_refused(old: str, new: str, words: str) -> None:
    found = problems(changed(old, new, XID))
    assert any(words in problem for problem in found), found


def test_all_problems_of_a_file_are_told_at_once() -> None:
    text = changed("mode: propose", "mode: x", changed("for: 60s", "for: x", changed("runbook:", "x:")))
    assert len(problems(text)) == 3


def test_an_expression_over_several_lines_is_refused_at_its_line_and_column() -> None:
    text = changed(
        "when: signal.hw_power_brake\n",
        "when: >-\n    signal.hw_power_brake &&\n    signal.idel\n",
    )
    assert problems(text)[0].startswith("rules.yaml:6:5: found undeclared reference to 'signal.idel'")


def test_a_second_rule_with_an_id_is_refused() -> None:
    assert any("found a second rule 'xid'; the first is at rules.yaml:2" in p for p in problems(XID + XID))


def test_rules_that_make_one_condition_agree_on_what_ends_it() -> None:
    other = changed("id: xid", "id: other", changed("{quiet: 1h}", "{after: reboot}", XID))
    (problem,) = problems(XID + other)
    assert "found Xid that clears after a reboot of the node" in problem
    assert "the clear and scope of rule 'xid'" in problem


def test_a_set_is_indexed_by_kind_and_named_by_what_it_says() -> None:
    rules = rules_from(WHOLE + XID)
    assert {kind: len(of_kind) for kind, of_kind in rules.by_kind.items()} == {"clocks": 1, "xid": 1}
    assert [rule.id for rule, _ in rules.clearing_by_kind["clocks"]] == ["gpu-power-brake"]
    assert rules.digest == rules_from(XID + "\n# a comment\n" + WHOLE).digest
    assert rules.digest != rules_from(changed("for: 60s", "for: 61s") + XID).digest


def test_a_change_of_a_rule_that_is_nowhere_is_one_problem_that_names_the_likely_one() -> None:
    (said,) = problems(f"{WHOLE}- {{id: gpu-power-brak, for: 5m}}\n")
    assert "a change of the rule 'gpu-power-brak', which no lower layer has" in said
    assert "did you mean gpu-power-brake?" in said


@pytest.mark.parametrize(
    ("when", "instead"), [("has(signal.code)", "the field itself"), ("signal.pid != null", "no null")]
)
def test_who_asks_whether_a_field_is_known_is_told_what_to_write_instead(when: str, instead: str) -> None:
    (said,) = problems(changed("signal.code == 1", when, XID))
    assert f"expected {instead}" in said
