"""What the commands on rules share: which layers, and what is wrong with them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from sickbay.cli.output import fail
from sickbay.core.problems import Problem, RefusedError
from sickbay.host.rule_files import LoadedRules, MergedRules, checked, merge_rules

C = TypeVar("C", bound=Callable[..., Any])

USUAL_SITE = Path("/etc/sickbay/rules.d")


def layers_option(command: C) -> C:
    """`--rules` and `--builtin`: the layers, lowest first."""
    command = click.option(
        "--builtin",
        type=click.Path(path_type=Path, exists=True),
        help="The folder of built-in rules.  [default: those of this installation]",
    )(command)
    return click.option(
        "--rules",
        "sites",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        help="A file or folder laid over the built-in rules; may be given again.  "
        f"[default: {USUAL_SITE} where it exists]",
    )(command)


def merged_from(sites: Sequence[Path], builtin: Path | None) -> MergedRules:
    """The layers that were asked for, or the usual ones."""
    return merge_rules(*layers_of(sites), builtin=builtin)


def layers_of(sites: Sequence[Path]) -> tuple[Path, ...]:
    """The site's layers that were asked for, or the usual one where it exists."""
    usual = (USUAL_SITE,) if not sites and USUAL_SITE.exists() else ()
    return (*sites, *usual)


def checked_or_exit(merged: MergedRules) -> LoadedRules:
    """The rules; where they are refused, every problem on standard error and exit 1."""
    try:
        return checked(merged)
    except RefusedError as refused:
        refuse(refused.problems)


def refuse(problems: Sequence[Problem]) -> NoReturn:
    """End the command with all that is wrong, one problem a line."""
    for problem in problems:
        click.echo(str(problem), err=True)
    fail(f"{len(problems)} {'mistake' if len(problems) == 1 else 'mistakes'}; the set cannot be used")
