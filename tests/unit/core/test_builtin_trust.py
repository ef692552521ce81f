"""Which built-in rules act after an upgrade, and which wait for a person."""

from dataclasses import replace

from sickbay.core.builtin_trust import confirmed_by_person, judged
from sickbay.core.conditions import Mode
from sickbay.core.ids import RuleId
from sickbay.core.remedies import Remedy, Rung, RungKind
from sickbay.core.rules import Rule
from sickbay.host.rule_files import load_rules

REBOOT = {"reboot": Remedy(id="reboot", ladder=(Rung(kind=RungKind.REBOOT),))}


def a_rule(ident: str = "ours", mode: Mode = Mode.ACT) -> Rule:
    return replace(load_rules().rules.rules[0], id=RuleId(ident), mode=mode, remedy="reboot")


def in_force(*rules: Rule) -> dict[RuleId, Rule]:
    return {rule.id: rule for rule in rules}


def test_at_the_first_start_every_built_in_rule_counts_as_shipped() -> None:
    rule = a_rule()
    trust = judged(None, [rule], REBOOT, in_force(rule))
    assert not trust.awaiting
    assert judged(trust.confirmed, [rule], REBOOT, in_force(rule)).awaiting == ()


def test_a_new_rule_and_a_changed_one_wait_until_a_person_confirms_them() -> None:
    old = a_rule("old")
    before = judged(None, [old], REBOOT, in_force(old)).confirmed
    rules = [replace(old, hold=old.hold + 60.0), a_rule("new")]
    trust = judged(before, rules, REBOOT, in_force(*rules))
    assert [(each.rule, each.changed) for each in trust.awaiting] == [("old", True), ("new", False)]
    one = confirmed_by_person(trust, [RuleId("new")])
    assert [each.rule for each in one.awaiting] == ["old"]
    assert judged(one.confirmed, rules, REBOOT, in_force(*rules)).awaiting == one.awaiting
    assert judged(confirmed_by_person(trust, ()).confirmed, rules, REBOOT, in_force(*rules)).awaiting == ()


def test_a_harder_ladder_changes_every_rule_that_climbs_it() -> None:
    rule = a_rule()
    before = judged(None, [rule], REBOOT, in_force(rule)).confirmed
    harder = {"reboot": replace(REBOOT["reboot"], ladder=(Rung(kind=RungKind.POWER_CYCLE),))}
    assert [each.rule for each in judged(before, [rule], harder, in_force(rule)).awaiting] == ["ours"]


def test_other_words_for_people_change_nothing() -> None:
    rule = a_rule()
    before = judged(None, [rule], REBOOT, in_force(rule)).confirmed
    assert not judged(before, [replace(rule, because="said better")], REBOOT, in_force(rule)).awaiting


def test_a_rule_that_observes_has_nothing_to_confirm_and_keeping_one_from_acting_confirms_nothing() -> None:
    watching = a_rule("watching", Mode.OBSERVE)
    acting = a_rule("acting")
    kept_back = replace(acting, mode=Mode.OBSERVE)
    quiet = judged({}, [watching, acting], REBOOT, in_force(watching, kept_back))
    assert not quiet.awaiting
    assert set(quiet.confirmed) == {"watching"}
    let_go = judged(quiet.confirmed, [watching, acting], REBOOT, in_force(watching, acting))
    assert [each.rule for each in let_go.awaiting] == ["acting"]
