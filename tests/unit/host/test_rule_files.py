from pathlib import Path

import pytest
from tests.support.rules import written

from sickbay.core.conditions import Mode, Severity
from sickbay.core.ids import RuleId
from sickbay.core.problems import RefusedError
from sickbay.core.rules import Count
from sickbay.host.rule_files import LoadedRules, builtin_rules_dir, load_rules

BUILTIN = """
- id: brake
  on: clocks
  when: signal.hw_power_brake
  for: 60s
  condition: {type: Brake, severity: warning, scope: gpu}
  clear: {when: "!signal.hw_power_brake", for: 5m}
  remedy: drain-and-reboot
  because: the cable
  labels: {team: power}
"""
REMEDIES = "- id: drain-and-reboot\n  ladder: [{do: reboot}, {do: quarantine}]\n"


@pytest.fixture
def builtin(tmp_path: Path) -> Path:
    written(tmp_path / "builtin/remedies.yaml", REMEDIES)
    return written(tmp_path / "builtin/power.yaml", BUILTIN).parent


def load(builtin: Path, tmp_path: Path, site: str, remedies: str = "") -> LoadedRules:
    written(tmp_path / "site/site.yaml", site)
    written(tmp_path / "site/remedies.yaml", remedies)
    return load_rules(tmp_path / "site", builtin=builtin)


def refused(builtin: Path, tmp_path: Path, site: str, remedies: str = "") -> list[str]:
    with pytest.raises(RefusedError) as caught:
        load(builtin, tmp_path, site, remedies)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_the_set_that_comes_with_the_code_loads() -> None:
    loaded = load_rules()
    assert loaded.rules.rules
    assert {file.parent for file in loaded.files} == {builtin_rules_dir()}


def test_a_site_changes_a_rule_field_by_field(builtin: Path, tmp_path: Path) -> None:
    site = "- {id: brake, for: 5m, mode: propose, condition: {severity: critical}, labels: {tier: a}}"
    (rule,) = load(builtin, tmp_path, site).rules.rules
    assert (rule.hold, rule.mode) == (300.0, Mode.PROPOSE)
    assert (rule.condition.type, rule.condition.severity) == ("Brake", Severity.CRITICAL)
    assert rule.labels == (("team", "power"), ("tier", "a"))
    assert rule.because == "the cable"


def test_a_site_takes_a_field_away(builtin: Path, tmp_path: Path) -> None:
    site = "- {id: brake, for: null, count: {at_least: 3, within: 1m}}"
    (rule,) = load(builtin, tmp_path, site).rules.rules
    assert (rule.hold, rule.count) == (0.0, Count(at_least=3, within=60.0))


def test_a_clear_is_replaced_whole(builtin: Path, tmp_path: Path) -> None:
    (rule,) = load(builtin, tmp_path, "- {id: brake, clear: {after: reboot}}").rules.rules
    assert str(rule.clear) == "after a reboot of the node"


def test_a_site_switches_a_rule_off(builtin: Path, tmp_path: Path) -> None:
    assert load(builtin, tmp_path, "- {id: brake, disable: true}").rules.rules == ()


def test_a_site_adds_a_rule_and_says_where_it_stands(builtin: Path, tmp_path: Path) -> None:
    loaded = load(builtin, tmp_path, BUILTIN.replace("brake\n", "mine\n", 1).replace("Brake", "Mine"))
    rule = loaded.rules.by_id[RuleId("mine")]
    assert (rule.layer, rule.line) == (str(tmp_path / "site/site.yaml"), 2)
    assert len(loaded.rules.rules) == 2


def test_a_site_lengthens_a_remedy(builtin: Path, tmp_path: Path) -> None:
    loaded = load(builtin, tmp_path, "", "- {id: drain-and-reboot, drain: {timeout: 1h}}")
    assert loaded.remedies["drain-and-reboot"].drain.timeout == 3600.0
    assert len(loaded.remedies["drain-and-reboot"].ladder) == 2


def test_layers_are_laid_over_each_other_in_turn(builtin: Path, tmp_path: Path) -> None:
    first = written(tmp_path / "first.yaml", "- {id: brake, for: 2m, mode: act}")
    second = written(tmp_path / "second.yaml", "- {id: brake, for: 3m}")
    (rule,) = load_rules(first, second, builtin=builtin).rules.rules
    assert (rule.hold, rule.mode) == (180.0, Mode.ACT)


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        ("- {id: brake, for: soon}", "site/site.yaml:1:20: found for: 'soon'"),
        ("- {id: brake, mode: acting}", "site/site.yaml:1:21: found mode: 'acting'"),
        ("- {id: brake, condition: {severity: bad}}", "site/site.yaml:1:37: found severity: 'bad'"),
        ("- {id: brake, when: signal.brak}", "site/site.yaml:1:21: found undeclared reference"),
        ("- {id: brake, wen: signal.idle}", "site/site.yaml:1:15: found the unknown key 'wen'"),
        ("- {id: brake, because: null}", "builtin/power.yaml:2:3: found no because"),
        ("- {id: brak, disable: true}", "site/site.yaml:1:8: found disable of 'brak'"),
        ("- {id: brak, disable: true}", "(did you mean brake?)"),
        (
            "- {id: brake, disable: maybe}",
            "site/site.yaml:1:24: found disable: 'maybe'; expected true or false",
        ),
        ("- {id: brake}\n- {id: brake}", "site/site.yaml:2:8: found a second 'brake'; the first is at"),
        ("- {for: 1m}", "site/site.yaml:1:3: found no id"),
        ("brake: {for: 1m}", "site/site.yaml:1:1: found no list"),
        ("- brake", "site/site.yaml:1:3: found 'brake'; expected a mapping with an id"),
        ("- {id: brake, remedy: nothing}", "found the unknown remedy 'nothing'"),
    ],
)
def test_what_is_wrong_is_told_with_the_layer_to_mend(
    builtin: Path, tmp_path: Path, site: str, problem: str
) -> None:
    found = refused(builtin, tmp_path, site)
    assert any(problem in each for each in found), found


def test_problems_of_all_files_are_told_at_once(builtin: Path, tmp_path: Path) -> None:
    written(tmp_path / "site/broken.yaml", "- [")
    found = refused(builtin, tmp_path, "- {id: brake, for: x}", "- {id: drain-and-reboot, drain: {mode: x}}")
    assert len(found) == 3, found


def test_a_layer_that_is_not_there_is_refused(builtin: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="No such file"):
        load_rules(tmp_path / "absent", builtin=builtin)


def test_what_else_lies_in_a_layer_is_left_alone(builtin: Path, tmp_path: Path) -> None:
    written(tmp_path / "site/platforms/h100.yaml", "not: rules")
    written(tmp_path / "site/README.md", "notes")
    assert len(load(builtin, tmp_path, "").rules.rules) == 1
