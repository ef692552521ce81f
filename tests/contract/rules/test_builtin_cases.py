"""The cases of the built-in rules: all hold, and every rule has some that raise it and some that must not."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tests.support.cases import PLATFORMS, bench

from sickbay.core.case_runs import CaseResult, run_case
from sickbay.core.rule_cases import Case, Prints, Says
from sickbay.core.rules import ClearWhen, Rule, RuleSet
from sickbay.host.case_files import cases_of_layers, load_cases
from sickbay.host.rule_files import builtin_rules_dir, load_rules

RULES = load_rules().rules
FILES = sorted(file for folder in cases_of_layers((builtin_rules_dir(),)) for file in folder.glob("*.yaml"))


@cache
def results(file: Path) -> tuple[CaseResult, ...]:
    cases = load_cases((file,), RULES, PLATFORMS).cases
    return tuple(run_case(case, bench()) for case in cases)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_case_holds(file: Path) -> None:
    wrong = [
        f"{each.expectation.place}: {result.case.name}: {each.expected}; found {each.found}; {each.why}"
        for result in results(file)
        for each in result.disagreements
    ]
    assert wrong == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_reading_that_says_nothing_raises_anything(file: Path) -> None:
    """Each case once more, with every field of every signal unknown."""
    for case in load_cases((file,), RULES, PLATFORMS).cases:
        steps = tuple(replace(step, fields=dict.fromkeys(step.fields)) for step in said_in(case))
        assert run_case(replace(case, steps=steps), bench()).fired == set(), case.name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_order_in_which_a_case_is_written_does_not_matter(file: Path) -> None:
    for case in load_cases((file,), RULES, PLATFORMS).cases:
        if len(said_in(case)) == len(case.steps):
            turned = replace(case, steps=tuple(reversed(case.steps)))
            assert run_case(turned, bench()).holds, case.name


def said_in(case: Case) -> list[Says]:
    return [step for step in case.steps if isinstance(step, Says)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_case_is_about_rules_that_were_asked(file: Path) -> None:
    """A case whose signals its rules never look at would hold for ever; a line may say nothing on purpose."""
    idle = [
        result.case.name
        for result in results(file)
        if not {*result.case.rules} & result.asked
        and not any(isinstance(step, Prints) for step in result.case.steps)
    ]
    assert idle == []


def test_every_rule_has_a_case_that_raises_it_and_one_that_must_not() -> None:
    every = [result for file in FILES for result in results(file)]
    raised = {rule for result in every for rule in result.fired if rule in result.case.rules}
    spared = {rule for result in every for rule in result.case.rules if rule not in result.fired}
    assert {*RULES.by_id} - raised == set(), "write a case in rules/cases/ that raises it"
    assert {*RULES.by_id} - spared == set(), "write a case in rules/cases/ that must not raise it"


def test_the_cases_of_a_rule_lie_in_the_file_of_its_name() -> None:
    astray = [
        (str(rule), file.name)
        for file in FILES
        for result in results(file)
        for rule in result.case.rules
        if not RULES.by_id[rule].layer.endswith(f"/{file.name}")
    ]
    assert astray == []


def bolder(rule: Rule) -> Iterator[Rule]:
    """The rule without its span, its grace, its pattern, or what makes its recovery believed."""
    if rule.hold:
        yield replace(rule, hold=0.0)
        yield replace(rule, hold=rule.hold * 1.5)
    if rule.boot_grace:
        yield replace(rule, boot_grace=0.0)
    if rule.count is not None:
        yield replace(rule, count=None)
        yield replace(rule, count=replace(rule.count, within=rule.count.within * 3))
    if isinstance(rule.clear, ClearWhen) and rule.clear.hold:
        yield replace(rule, clear=replace(rule.clear, hold=0.0))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_rule_that_believed_sooner_or_later_would_fail_one_of_its_cases(file: Path) -> None:
    cases = load_cases((file,), RULES, PLATFORMS).cases
    unnoticed = []
    for rule in RULES.rules:
        own = [case for case in cases if rule.id in case.rules]
        for changed in bolder(rule) if own else ():
            others = [other for other in RULES.rules if other.id != rule.id]
            mutant = replace(bench(), rules=RuleSet.of((*others, changed)))
            if all(run_case(case, mutant).holds for case in own):
                unnoticed.append(
                    (rule.id, changed.hold, changed.boot_grace, changed.count, str(changed.clear))
                )
    assert unnoticed == []
