"""`sickbay rules test`: cases of rules, run through the rules."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sickbay.cli.case_lines import read_lines
from sickbay.cli.options import examples, output_option
from sickbay.cli.output import EXIT_FAILED, Plain, emit, fail
from sickbay.cli.rules_options import USUAL_SITE, checked_or_exit, layers_option, merged_from, refuse
from sickbay.core.case_runs import Bench, CaseResult, Disagreement, run_case
from sickbay.core.instants import format_duration
from sickbay.core.problems import RefusedError
from sickbay.host.case_files import cases_of_layers, load_cases, profiles_by_id
from sickbay.host.platform_files import load_platforms
from sickbay.host.rule_files import builtin_rules_dir


@click.command(
    "test",
    epilog=examples(
        "sickbay rules test",
        "sickbay rules test --rules ./rules.d",
        "sickbay rules test ./rules.d/cases/power.yaml --rules ./rules.d -o json",
    ),
)
@click.argument("paths", metavar="[FILE|DIR]...", nargs=-1, type=click.Path(path_type=Path, exists=True))
@layers_option
@output_option
def run_cases(*, paths: tuple[Path, ...], sites: tuple[Path, ...], builtin: Path | None, form: str) -> None:
    """Run cases: what is seen at which times, and what the rules are to make of it.

    Without FILE these are the cases in the folder `cases` of the site's own rules, or the built-in ones where
    the site has none. Lines of the kernel log go through the agent's own parser; what would be done is
    rehearsed on an ideal cluster in mode act. Exit 1 when a case does not hold, or there is none.
    """
    layers = sites or ((USUAL_SITE,) if USUAL_SITE.exists() else ())
    loaded = checked_or_exit(merged_from(sites, builtin))
    chosen = paths or cases_of_layers(layers) or cases_of_layers((builtin or builtin_rules_dir(),))
    try:
        platforms = load_platforms(*layers, builtin=builtin).platforms
        cases = load_cases(chosen, loaded.rules, platforms)
    except RefusedError as refused:
        refuse(refused.problems)
    if not cases.cases:
        fail("no cases there; see `sickbay rules schema cases` for what one is")
    bench = Bench(
        rules=loaded.rules,
        remedies=loaded.remedies,
        platforms=profiles_by_id(platforms),
        read_lines=read_lines,
    )
    results = [run_case(case, bench) for case in cases.cases]
    emit(_value(results), form, lambda: _tell(results, len(cases.files)))
    if not all(result.holds for result in results):
        sys.exit(EXIT_FAILED)


def _tell(results: Sequence[CaseResult], files: int) -> None:
    """Only what does not hold, each with what the engine says of it, and the sum."""
    failed = [result for result in results if not result.holds]
    for result in failed:
        click.echo(f"{result.case.place}: {click.style('FAILED', fg='red')}: {result.case.name}")
        for disagreement in result.disagreements:
            _tell_one(disagreement)
    held = len(results) - len(failed)
    click.echo(f"{held} of {len(results)} cases in {files} {'file' if files == 1 else 'files'} hold")


def _tell_one(disagreement: Disagreement) -> None:
    expectation = disagreement.expectation
    click.echo(f"  {expectation.place}: at {format_duration(expectation.at)}")
    click.echo(f"    expected  {disagreement.expected}")
    click.echo(f"    found     {disagreement.found}")
    for line in disagreement.why:
        click.echo(f"    because   {line}")


def _value(results: Sequence[CaseResult]) -> dict[str, Plain]:
    return {
        "cases": len(results),
        "failed": sum(not result.holds for result in results),
        "results": [_result(result) for result in results],
    }


def _result(result: CaseResult) -> dict[str, Plain]:
    place = result.case.place
    return {
        "file": place.file,
        "line": place.line,
        "name": result.case.name,
        "rules": list(result.case.rules),
        "holds": result.holds,
        "disagreements": [_plain(each) for each in result.disagreements],
    }


def _plain(disagreement: Disagreement) -> dict[str, Plain]:
    place = disagreement.expectation.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "at": disagreement.expectation.at,
        "expected": disagreement.expected,
        "found": disagreement.found,
        "why": list(disagreement.why),
    }
