"""`sickbay rules lint`: every mistake with its place, for people and for a pipeline."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sickbay.cli.options import examples, output_option
from sickbay.cli.output import EXIT_FAILED, emit
from sickbay.cli.rules_options import layers_option, merged_from
from sickbay.core.problems import Problem, RefusedError
from sickbay.core.rule_lint import Gravity, Lint, lint
from sickbay.host.rule_files import checked


@click.command("lint", epilog=examples("sickbay rules lint", "sickbay rules lint --rules ./rules.d -o json"))
@layers_option
@click.option("--strict", is_flag=True, help="Exit 1 for warnings, too.")
@output_option
def lint_rules(*, sites: tuple[Path, ...], builtin: Path | None, strict: bool, form: str) -> None:
    """Find mistakes in rules and remedies before a node runs on them.

    Errors are what no agent would load (an unknown key, a field that no signal has, a value of another type,
    no way to clear) and what cannot do what it says (a rule that can never be true, an action without a
    runbook). Warnings are legal and doubtful. Exit 1 when there is an error, 0 otherwise.
    """
    found = _found(sites, builtin)
    emit([_row(each) for each in found], form, lambda: _tell(found))
    worst = {each.gravity for each in found}
    if Gravity.ERROR in worst or (strict and worst):
        sys.exit(EXIT_FAILED)


def _found(sites: tuple[Path, ...], builtin: Path | None) -> Sequence[Lint]:
    merged = merged_from(sites, builtin)
    try:
        loaded = checked(merged)
    except RefusedError as refused:
        return [Lint(gravity=Gravity.ERROR, about="", problem=problem) for problem in refused.problems]
    return lint(loaded.rules.rules, loaded.remedies, merged.rules, merged.remedies)


def _tell(found: Sequence[Lint]) -> None:
    for each in found:
        paint = "red" if each.gravity is Gravity.ERROR else "yellow"
        about = f" {each.about}:" if each.about else ""
        said = f"found {each.problem.found}; expected {each.problem.expected}"
        click.echo(f"{each.problem.place}: {click.style(each.gravity.value, fg=paint)}:{about} {said}")
    errors = sum(each.gravity is Gravity.ERROR for each in found)
    click.echo(f"{errors} errors, {len(found) - errors} warnings")


def _row(each: Lint) -> dict[str, object]:
    problem: Problem = each.problem
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": each.gravity.value,
        "about": each.about,
        "found": problem.found,
        "expected": problem.expected,
    }
