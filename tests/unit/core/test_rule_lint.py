"""Mistakes that load: each is found where it stands, and a sound set has none."""

import pytest
from tests.support.rules import REMEDIES, entries_from

from sickbay.core.remedies import Remedy, Rung, RungKind
from sickbay.core.remedy_parsing import parse_remedies
from sickbay.core.rule_lint import Gravity, Lint, lint
from sickbay.core.rule_parsing import parse_rules

SOUND = """
- id: brake
  on: clocks
  when: signal.hw_power_brake
  for: 60s
  condition: {type: Brake, severity: warning, scope: gpu}
  clear: {when: "!signal.hw_power_brake", for: 5m}
  remedy: drain-and-reboot
  mode: act
  because: the cable
  runbook: brake
"""
LADDERS = "- id: drain-and-reboot\n  ladder: [{do: reboot}, {do: quarantine}]\n"

ON_XID = """
- id: bus
  on: xid
  when: signal.code == 79
  condition: {type: Bus, severity: fatal, scope: gpu}
  clear: {quiet: 1h}
  because: gone
"""


def linted(text: str, ladders: str = LADDERS) -> list[str]:
    entries, steps = entries_from(text), entries_from(ladders, file="remedies.yaml")
    remedies, wrong_steps = parse_remedies(steps)
    rules, wrong = parse_rules(entries, remedies=remedies)
    assert not (*wrong, *wrong_steps)
    return [str(each) for each in lint(rules, remedies, entries, steps)]


def test_a_sound_set_has_no_mistakes() -> None:
    assert linted(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "  runbook: brake\n",
            "",
            "rules.yaml:9:3: error: brake: mode act with remedy drain-and-reboot and no",
        ),
        ("remedy: drain-and-reboot", "remedy: none", "warning: brake: mode act with remedy none, which does"),
        (
            "when: signal.hw_power_brake\n",
            'when: "1 < 2"\n',
            "error: brake: an expression that is always true",
        ),
        ('"!signal.hw_power_brake"', '"false"', "error: brake: a clear that never holds"),
        ('"!signal.hw_power_brake"', '" signal.hw_power_brake"', "error: brake: a clear that says the same"),
        ("  for: 60s\n", "", "warning: brake: mode act on a single reading"),
    ],
)
def test_a_mistake_is_told_with_its_place(old: str, new: str, said: str) -> None:
    assert old in SOUND
    found = linted(SOUND.replace(old, new, 1))
    assert any(said in each for each in found), found


def test_a_code_that_nobody_lists_can_never_come() -> None:
    assert linted(ON_XID, "[]") == []
    (found,) = linted(ON_XID.replace("== 79", "== 79 && signal.class == 'application'"), "[]")
    assert "error: bus: no xid of the catalogue for which this can be true" in found
    assert linted(ON_XID.replace("signal.code == 79", "signal.class == 'unknown'"), "[]") == []


def test_what_the_line_itself_may_say_is_taken_as_possible() -> None:
    assert linted(ON_XID.replace("== 79", "== 79 && signal.process == 'python'"), "[]") == []


def test_of_two_rules_that_see_the_same_the_milder_one_never_speaks() -> None:
    twin = ON_XID.replace("id: bus", "id: also").replace("fatal", "warning")
    (found,) = linted(ON_XID + twin, "[]")
    assert "error: also: the same as rule bus" in found


def test_a_remedy_that_never_makes_the_repair_that_clears_is_a_mistake() -> None:
    acting = (
        ON_XID.replace("{quiet: 1h}", "{after: reboot}") + "  remedy: restart\n  mode: act\n  runbook: x\n"
    )
    ladder = "- id: restart\n  ladder: [{do: restart_service, service: a.service}]\n"
    (found,) = linted(acting, ladder)
    assert "error: bus: a condition that clears after a reboot of the node, and a remedy restart" in found
    assert linted(acting, ladder.replace("}]", "}, {do: quarantine}]")) == []


def test_a_remedy_that_no_rule_names_is_doubtful() -> None:
    (found,) = linted(ON_XID)
    assert found.startswith("remedies.yaml:1:3: warning: drain-and-reboot: a remedy that no rule names")


def test_the_reading_of_a_finding_is_its_place_then_its_gravity() -> None:
    entries = entries_from(ON_XID)
    rules, _ = parse_rules(entries, remedies=REMEDIES)
    ladder = {"none": Remedy(id="none"), "unused": Remedy(id="unused", ladder=(Rung(kind=RungKind.REBOOT),))}
    (found,) = lint(rules, ladder, entries, entries_from("- {id: unused}"))
    assert isinstance(found, Lint)
    assert (found.gravity, found.about, found.problem.line) == (Gravity.WARNING, "unused", 1)
