"""What cases of rules are run with, and cases out of YAML text."""

from functools import cache

from tests.support.rules import entries_from

from sickbay.cli.case_lines import read_lines
from sickbay.core.case_parsing import parse_cases
from sickbay.core.case_runs import Bench, CaseResult, run_case
from sickbay.core.expectation_parsing import Known
from sickbay.core.problems import Problem
from sickbay.core.rule_cases import Case
from sickbay.host.case_files import profiles_by_id
from sickbay.host.platform_files import load_platforms
from sickbay.host.rule_files import load_rules

PLATFORMS = load_platforms().platforms


@cache
def bench() -> Bench:
    """The built-in rules."""
    loaded = load_rules()
    return Bench(
        rules=loaded.rules,
        remedies=loaded.remedies,
        platforms=profiles_by_id(PLATFORMS),
        read_lines=read_lines,
    )


def read_cases(text: str) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """The cases in a text over the built-in rules, and what is wrong with it."""
    known = Known.of(bench().rules, profiles_by_id(PLATFORMS))
    return parse_cases(entries_from(text, file="cases.yaml"), known)


def ran(text: str) -> CaseResult:
    """What comes of the one case in a text that has nothing wrong with it."""
    (case,), problems = read_cases(text)
    assert not problems, "\n".join(str(problem) for problem in problems)
    return run_case(case, bench())
